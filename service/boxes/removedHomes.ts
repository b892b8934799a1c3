import { lstat, readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoonError } from '../../protocol/errors.ts';
import type { Engine } from './engine.ts';
import { openHome } from './homes.ts';

/**
 * Homes of users who are gone. First out of the way under a name that no user can have, which is one step and cannot be
 * half done; then emptied, which takes as long as it takes and is gone on with after a crash.
 */

const removedName = /^\.removed-(\d{1,10})(-[0-9a-f-]{36})?$/;

/**
 * Of nobody from then on, under a name of its own each time: an earlier one of the same uid may still be there. Does nothing
 * where there is no such home.
 */
export async function setHomeAside(homesDir: string, { username, uid }: { username: string; uid: number }) {
  try {
    await rename(join(homesDir, username), join(homesDir, `.removed-${uid}-${crypto.randomUUID()}`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/**
 * Homes that are still there although their users are gone: the service ended before it could set them aside.
 * @param usernames nobody has one of them, now or ever again
 * @param isUserUid whether homes belong to this uid; others were put there by hand, and stay
 */
export async function setFormerHomesAside(
  homesDir: string,
  usernames: readonly string[],
  { isUserUid, report }: { isUserUid: (uid: number) => boolean; report: (problem: unknown) => void },
): Promise<void> {
  const former = new Set(usernames);
  for (const username of await readdir(homesDir)) {
    if (!former.has(username)) continue;
    try {
      const { uid } = await lstat(join(homesDir, username));
      if (!isUserUid(uid)) throw new SpoonError('home-untrusted', `homes/${username} belongs to ${uid}. It was left.`);
      await setHomeAside(homesDir, { username, uid });
    } catch (error) {
      report(error);
    }
  }
}

export interface EraseParts {
  readonly engine: Engine;
  readonly homesDir: string;
  readonly boxdDir: string;
  readonly image: string;
  readonly ownerOf: (uid: number) => { uid: number; gid: number };
  /** For the log: a home that could not be emptied; the others go on. */
  readonly report: (problem: unknown) => void;
}

/** Empties and removes all homes that have been set aside. @returns whether none is left */
export async function eraseRemovedHomes(parts: EraseParts): Promise<boolean> {
  const { engine, homesDir, boxdDir, image, ownerOf, report } = parts;
  let isDone = true;
  for (const name of await readdir(homesDir)) {
    const uid = Number(removedName.exec(name)?.[1]);
    if (Number.isNaN(uid)) continue;
    const path = join(homesDir, name);
    try {
      // The home of a user is a folder that the service made; anything else was put there by hand.
      const home = await openHome(path);
      // Its user, with whose rights it is emptied, may have closed it.
      await home.chmod(0o700).finally(() => home.close());
      await engine.eraseHome({ path, boxdDir, image, ...ownerOf(uid) });
      await rmdir(path);
    } catch (error) {
      report(error);
      isDone = false;
    }
  }
  return isDone;
}
