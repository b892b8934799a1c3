import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import { pinsText, readPins } from '../provision/fedoraPins.ts';
import { findProgram } from '../provision/systemPackages.ts';
import { mustRun } from '../runCommand.ts';

const dockerFolder = join(dirname(dirname(import.meta.dirname)), 'docker');
const pinsFile = join(dockerFolder, 'pins.env');
const registry = 'https://registry.fedoraproject.org/v2/';
const registryTimeoutMs = 4000;

/** The name that the Fedora image of this checkout has: by content, so that a change of it is seen. */
async function fedoraTag(): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(dockerFolder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(`${file.slice(dockerFolder.length)}\0`).update(await readFile(file));
  return `spoon-box:fedora-${hash.digest('hex').slice(0, 12)}`;
}

/** @returns the image's name if this machine has it */
export async function findFedoraImage(docker: Docker): Promise<string | undefined> {
  const tag = await fedoraTag();
  return (await docker.listImages({ filters: { reference: [tag] } })).length > 0 ? tag : undefined;
}

/**
 * Builds `docker/agent-job.Dockerfile`.
 * @param host as in `DOCKER_HOST`
 * @throws Error that says what is missing: the registry, the docker command, or what the build complained about
 */
export async function buildFedoraImage(host: string, say: (text: string) => void): Promise<string> {
  if ((await findProgram('docker')) === undefined) throw new Error('there is no docker command to build with');
  await fetch(registry, { signal: AbortSignal.timeout(registryTimeoutMs) }).catch((cause: unknown) => {
    throw new Error(`${new URL(registry).host} does not answer from here`, { cause });
  });
  const pins = await ensurePins(say);
  const tag = await fedoraTag();
  say(`Building the box image ${tag} from docker/agent-job.Dockerfile (once, some minutes)…`);
  const file = join(dockerFolder, 'agent-job.Dockerfile');
  const pinned = pins.flatMap((pin) => ['--build-arg', pin]);
  await mustRun('docker', ['build', '-t', tag, ...pinned, '-f', file, dockerFolder], {
    env: { ...process.env, DOCKER_HOST: host, DOCKER_BUILDKIT: '1' },
    onLine: (line) => {
      if (/^(#\d+ \[|Step )/.test(line)) say(`  ${line}`);
    },
  });
  return tag;
}

/** The lines of `docker/pins.env`, which are read from their sources once and kept. */
async function ensurePins(say: (text: string) => void): Promise<string[]> {
  const kept = await readFile(pinsFile, 'utf8').catch(() => undefined);
  if (kept === undefined) say('Reading what the Fedora image is pinned to into docker/pins.env…');
  const text = kept ?? pinsText(await readPins());
  if (kept === undefined) await writeFile(pinsFile, text);
  return text.split('\n').filter((line) => line !== '');
}
