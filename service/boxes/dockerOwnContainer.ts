import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import Docker from 'dockerode';
import { absentOk } from './dockerCalls.ts';

/** A service that is a container itself, beside its boxes: what it calls a path is not what Docker's host calls it. */

interface Mount {
  readonly Source: string;
  readonly Destination: string;
}

/**
 * The container that a process is in: Docker mounts these files into each, from a folder with its id. A control group has no
 * name in a namespace of its own, the host's name may be anything, and `/.dockerenv` is in what was made from an image, too.
 * @param mountinfo proc_pid_mountinfo(5)
 */
export function containerIdIn(mountinfo: string): string | undefined {
  for (const line of mountinfo.split('\n')) {
    const [, , , source = '', target = ''] = line.split(' ');
    if (!/^\/etc\/(hostname|hosts|resolv\.conf)$/.test(target)) continue;
    const id = /\/containers\/([0-9a-f]{64})\/[a-z.]+$/.exec(source)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

/** @returns undefined for a path that is in no mount that lasts, but in the container itself or in memory */
export function placeOnHost(mounts: readonly Mount[], path: string): string | undefined {
  const around = mounts.filter(({ Destination }) => !relative(Destination, path).startsWith('..'));
  around.sort((a, b) => b.Destination.length - a.Destination.length);
  const [innermost] = around;
  return innermost === undefined || innermost.Source === ''
    ? undefined
    : join(innermost.Source, relative(innermost.Destination, path));
}

/**
 * What Docker's host calls paths of this process, where this process is in a container of that Docker.
 * @returns null where it is in none, or in one that this Docker does not know: then both see the same files
 * @throws what Docker throws
 */
export async function placesOnDockerHost(
  host: string,
  paths: readonly string[],
): Promise<(string | undefined)[] | null> {
  const id = containerIdIn(await readFile('/proc/self/mountinfo', 'utf8'));
  if (id === undefined) return null;
  const docker = new Docker({ socketPath: host.slice('unix://'.length) });
  const found = await absentOk(docker.getContainer(id).inspect());
  return found === undefined ? null : paths.map((path) => placeOnHost(found.Mounts, path));
}
