import { chmod, mkdir, open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import type { DiskSpace } from '../protocol/admin.ts';
import { SpoonError } from '../protocol/errors.ts';
import { ExclusiveLock } from './store/exclusiveLock.ts';

/** Where everything lives. The service makes these folders and never looks below a home. */
export interface Workdir {
  readonly root: string;
  /** One folder per user, given to that user's uid. */
  readonly homes: string;
  /** Content-hashed bundles of boxd. */
  readonly boxd: string;
  /** One folder per box with the socket that boxd dials. */
  readonly run: string;
  /** Generated passwd, group and gitconfig per box. */
  readonly etc: string;
  readonly adminSocket: string;
  readonly lock: string;
}

export function workdirAt(root: string): Workdir {
  return {
    root,
    homes: join(root, 'homes'),
    boxd: join(root, 'boxd'),
    run: join(root, 'run'),
    etc: join(root, 'etc'),
    adminSocket: join(root, 'admin', 'admin.sock'),
    lock: join(root, 'lock'),
  };
}

/** How much room there is where the homes and the database are. */
export async function disksOf({ homes }: Workdir, databaseFile: string): Promise<DiskSpace[]> {
  const data = dirname(databaseFile);
  const [homesAt, dataAt] = await Promise.all([stat(homes), stat(data)]);
  if (homesAt.dev === dataAt.dev) return [await spaceOf('all', homes)];
  return Promise.all([spaceOf('database', data), spaceOf('homes', homes)]);
}

async function spaceOf(holds: DiskSpace['holds'], path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { holds, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/**
 * Makes what is missing and takes the lock. What is there already is not written to.
 * @throws SpoonError `workdir-unwritable`, `workdir-locked`
 */
export async function openWorkdir(workdir: Workdir): Promise<ExclusiveLock> {
  // 0711: a box's user passes through to the own home and lists nothing. `run` and `admin` hold doors: owner only.
  const folders: [string, number][] = [
    [workdir.root, 0o711],
    [workdir.homes, 0o711],
    [workdir.boxd, 0o755],
    [workdir.etc, 0o711],
    [workdir.run, 0o700],
    [dirname(workdir.adminSocket), 0o700],
  ];
  try {
    for (const [path, mode] of folders) await makeFolder(path, mode);
    await makePrivateFile(workdir.lock);
    return ExclusiveLock.take(workdir.lock);
  } catch (cause) {
    if (cause instanceof SpoonError) throw cause;
    const errno = cause instanceof Error && 'errno' in cause ? cause.errno : undefined;
    if (typeof errno !== 'number') throw cause;
    throw new SpoonError(
      'workdir-unwritable',
      `SPOON_AGENT_WORKDIR is ${workdir.root}: ${getSystemErrorMessage(errno)}. Set it to a folder that this account may write to.`,
      { cause },
    );
  }
}

/** Not mkdir's `recursive`: where a parent refuses new folders with ENOENT, as /proc does, Node 24 tries for ever. */
async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path), 0o755);
    await mkdir(path);
  }
  // mkdir's own mode is cut by the umask.
  await chmod(path, mode);
}

/** An empty file that only its owner may open, before SQLite makes one that all may read. */
export async function makePrivateFile(path: string): Promise<void> {
  const file = await open(path, 'a', 0o600);
  await file.close();
}

/** A socket of an earlier process answers nobody, but keeps the name taken. Only for the holder of the lock. */
export async function removeStaleSocket(path: string): Promise<void> {
  await rm(path, { force: true });
}
