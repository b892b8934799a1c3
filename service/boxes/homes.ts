import { chmod, chown, constants, type FileHandle, mkdir, mkdtemp, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoonError } from '../../protocol/errors.ts';

export interface HomeOwner {
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The home of a user: made (0700, theirs) where it is missing, checked where it is there. Only the directory itself is
 * looked at; what is below belongs to its user, and a path into it could lead anywhere (`security.md` 0.1).
 * @returns its path
 * @throws SpoonError `home-untrusted` when it is not a directory or belongs to somebody else
 */
export async function ensureHome(homesDir: string, owner: HomeOwner): Promise<string> {
  await mkdir(homesDir, { recursive: true });
  // Others may pass through, so that a box's user reaches the own home, but not see who else there is.
  await chmod(homesDir, 0o711);
  const path = join(homesDir, owner.username);
  const home = await openDirectory(path, owner);
  try {
    const found = await home.stat();
    if (found.uid !== owner.uid || found.gid !== owner.gid) {
      throw new SpoonError(
        'home-untrusted',
        `${inWords(owner)} belongs to ${found.uid}:${found.gid}, not to ${owner.uid}:${owner.gid}. Nothing in it was touched. Its operator can give it back with chown --no-dereference, or move it away.`,
      );
    }
    if ((found.mode & 0o7777) !== 0o700) await home.chmod(0o700);
  } finally {
    await home.close();
  }
  return path;
}

/**
 * For a service that cannot give homes away (decision 17).
 * @throws SpoonError `single-user-only` when somebody else has a home already
 */
export async function refuseSecondHome(homesDir: string, username: string): Promise<void> {
  const names = await readdir(homesDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const other = names.find((name) => name !== username && /^[a-z][a-z0-9_-]*$/.test(name));
  if (other !== undefined) throw new SpoonError('single-user-only', `${other} has a home here already.`);
}

/** In the working directory: its user, who reads this, learns no path of the host. */
function inWords({ username }: HomeOwner): string {
  return `homes/${username}`;
}

/**
 * The directory itself, whatever is in it.
 * @throws Error `ENOTDIR` or `ELOOP` when it is none, `EACCES` when it belongs to somebody else and this process is not root
 */
export async function openHome(path: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  return open(path, flags).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES') throw error;
    // Its user may have closed it; only what is one's own can be opened again.
    await chmod(path, 0o700).catch(() => {
      throw error;
    });
    return open(path, flags);
  });
}

async function openDirectory(path: string, owner: HomeOwner): Promise<FileHandle> {
  try {
    return await openHome(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR' || code === 'ELOOP')
      throw new SpoonError('home-untrusted', `${inWords(owner)} is not a directory.`);
    if (code === 'EACCES') throw new SpoonError('home-untrusted', `${inWords(owner)} belongs to somebody else.`);
    if (code !== 'ENOENT') throw error;
  }
  // Complete before it has its name: a service that dies here leaves no home of root's behind.
  const temporary = await mkdtemp(join(path, '..', '.new-'));
  await chown(temporary, owner.uid, owner.gid);
  await rename(temporary, path);
  return openHome(path);
}
