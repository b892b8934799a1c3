import type Docker from 'dockerode';
import { SpoonError } from '../../protocol/errors.ts';
import { boxdCommand } from './boxSpec.ts';
import { absentOk } from './dockerCalls.ts';
import type { BoxSpec } from './engine.ts';

/** Loads what boxd loads before it does anything: its Node, and with it glibc and libstdc++ of the image. */
const command = [boxdCommand[0], '-e', 'require("/opt/spoon/node_modules/node-pty")'];

const needs = 'boxd needs glibc 2.28 or newer (as in Debian 10, Ubuntu 20.04, Fedora 29) and libstdc++';

/** @throws SpoonError `image-missing`, `image-unsuitable` for another kind of machine */
export async function checkImage(docker: Docker, image: string): Promise<void> {
  const found = await absentOk(docker.getImage(image).inspect());
  if (found === undefined) {
    throw new SpoonError(
      'image-missing',
      `Docker has no image ${image}. Make it with npm run up, or pull or build one of that name.`,
    );
  }
  const wanted = process.arch === 'x64' ? 'amd64' : process.arch;
  if (found.Os !== 'linux' || found.Architecture !== wanted) {
    throw new SpoonError(
      'image-unsuitable',
      `${image} is for ${found.Os}/${found.Architecture}; this machine needs linux/${wanted}.`,
    );
  }
}

/**
 * Tries whether boxd can run in the image at all, in a container that has nothing else: no home, no network, no rights.
 * For when a box has ended before boxd dialled; it costs a container's start.
 * @param boxdDir as Docker's host has it
 * @returns what is wrong with the image; undefined: boxd runs in it, so something else was
 */
export async function findFault(docker: Docker, spec: BoxSpec, boxdDir: string): Promise<SpoonError | undefined> {
  const container = await docker.createContainer({
    Image: spec.image,
    User: `${spec.uid}:${spec.gid}`,
    Entrypoint: command.slice(0, 1),
    Cmd: command.slice(1),
    HostConfig: {
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Memory: spec.memoryBytes,
      PidsLimit: spec.maxProcesses,
      Mounts: [{ Type: 'bind', Source: boxdDir, Target: '/opt/spoon', ReadOnly: true }],
    },
  });
  try {
    const notStarted = await container.start().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (notStarted !== undefined) return faultIn(spec.image, 127, notStarted);
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    const log = await container.logs({ stdout: true, stderr: true });
    return faultIn(spec.image, StatusCode, log.toString());
  } finally {
    await container.remove({ force: true, v: true });
  }
}

/** @param said by the dynamic loader, or by Docker where there is not even one */
export function faultIn(image: string, exitCode: number, said: string): SpoonError | undefined {
  if (exitCode === 0) return undefined;
  const refuse = (why: string): SpoonError => new SpoonError('image-unsuitable', `${image} ${why}; ${needs}.`);
  const [, version] = /version `(GLIBC(?:XX)?_[\d.]+)' not found/.exec(said) ?? [];
  if (version !== undefined) return refuse(`is too old: it has no ${version}`);
  const [, library] = /([\w+.-]+\.so[\w.]*): cannot open shared object file/.exec(said) ?? [];
  if (library !== undefined) return refuse(`has no ${library}`);
  // The loader that Node names is not there: the kernel says of the program itself that there is no such file.
  if (/no such file or directory/i.test(said))
    return refuse('has no glibc (Alpine and other musl images have another C library)');
  return undefined;
}
