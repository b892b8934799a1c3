import type Docker from 'dockerode';
import { absentOk } from './dockerCalls.ts';
import { statusOf } from './dockerErrors.ts';
import type { ErasableHome } from './engine.ts';
import { eraseArguments, eraseRefusal } from './eraseHome.ts';

const mebi = 1024 * 1024;

/**
 * In a container that has this home and nothing else: no network, no rights.
 * @param places as Docker's host has them
 * @throws SpoonError `home-not-writable`, and what Docker throws
 */
export async function eraseInContainer(
  docker: Docker,
  name: string,
  { path, uid, gid, boxdDir, image }: ErasableHome,
): Promise<void> {
  const options: Docker.ContainerCreateOptions = {
    name,
    Image: image,
    User: `${uid}:${gid}`,
    WorkingDir: '/erased',
    Entrypoint: ['/opt/spoon/bin/node'],
    Cmd: eraseArguments(uid, gid),
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      PidsLimit: 64,
      Memory: 256 * mebi,
      MemorySwap: 256 * mebi,
      LogConfig: { Type: 'local', Config: { 'max-size': '1m', 'max-file': '2' } },
      Mounts: [
        { Type: 'bind', Source: path, Target: '/erased' },
        { Type: 'bind', Source: boxdDir, Target: '/opt/spoon', ReadOnly: true },
      ],
    },
  };
  const container = await docker.createContainer(options).catch(async (error: unknown) => {
    if (statusOf(error) !== 409) throw error;
    // Of a service that was ended while it erased.
    await absentOk(docker.getContainer(name).remove({ force: true, v: true }));
    return docker.createContainer(options);
  });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    if (StatusCode !== 0) throw eraseRefusal(uid, (await container.logs({ stderr: true })).toString());
  } finally {
    await absentOk(container.remove({ force: true, v: true }));
  }
}
