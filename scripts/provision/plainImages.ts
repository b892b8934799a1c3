import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { mustRun } from '../runCommand.ts';
import { cacheFolder } from './cacheFolder.ts';
import { ensureMmdebstrap, runMmdebstrap } from './mmdebstrap.ts';
import { ensurePrograms } from './systemPackages.ts';

const suite = 'bookworm';

/**
 * The plainest Debian there is, `debootstrap --variant=minbase`, with nothing of ours: an image as people bring it. Made
 * once and kept.
 * @returns the image's name
 */
export function ensurePlainDebian(docker: Docker, say: (text: string) => void): Promise<string> {
  return ensureMinimalDebian(docker, 'plain', [], say);
}

/** The same with what the service calls: what `docker/service.Dockerfile` has from Fedora. @returns its name */
export function ensureServiceBase(docker: Docker, say: (text: string) => void): Promise<string> {
  return ensureMinimalDebian(docker, 'service-base', ['iptables', 'libstdc++6', 'ca-certificates'], say);
}

async function ensureMinimalDebian(
  docker: Docker,
  name: string,
  packages: readonly string[],
  say: (text: string) => void,
): Promise<string> {
  const tag = `spoon-test-${name}:${suite}`;
  if ((await docker.listImages({ filters: { reference: [tag] } })).length > 0) return tag;
  const folder = join(cacheFolder(), 'images');
  const tarball = join(folder, `${name}-${suite}.tar`);
  if ((await stat(tarball).catch(() => undefined)) === undefined) {
    await ensureMmdebstrap(say);
    say(`Making a plain Debian image (${name}, mmdebstrap; once, half a minute)…`);
    await mkdir(folder, { recursive: true });
    const work = await mkdtemp(join(folder, 'making-'));
    const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
    try {
      const options = ['--variant=minbase', '--dpkgopt=force-unsafe-io', ...include];
      await runMmdebstrap(work, [...options, suite, join(work, 'plain.tar')]);
      await rename(join(work, 'plain.tar'), tarball);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  await importImage(docker, tag, tarball);
  return tag;
}

/** An image without any C library, as small as Alpine's is: one static busybox. @returns its name */
export async function ensureBusybox(docker: Docker, say: (text: string) => void): Promise<string> {
  const tag = 'spoon-test-busybox:latest';
  if ((await docker.listImages({ filters: { reference: [tag] } })).length > 0) return tag;
  await ensurePrograms([{ file: '/bin/busybox', debianPackage: 'busybox-static' }], say);
  const work = await mkdtemp(join(tmpdir(), 'spoon-busybox-'));
  try {
    await mkdir(join(work, 'root', 'bin'), { recursive: true });
    await copyFile('/bin/busybox', join(work, 'root', 'bin', 'sh'));
    await mustRun('tar', ['-cf', join(work, 'busybox.tar'), '-C', join(work, 'root'), '.']);
    await importImage(docker, tag, join(work, 'busybox.tar'));
  } finally {
    await rm(work, { recursive: true });
  }
  return tag;
}

async function importImage(docker: Docker, tag: string, tarball: string): Promise<void> {
  const [repo, name] = tag.split(':');
  const stream = await docker.importImage(createReadStream(tarball), { repo, tag: name });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}
