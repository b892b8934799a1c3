import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SpoonError } from '../../protocol/errors.ts';

/**
 * The key of a service that only `npm run up` starts (`security.md` decision 16): made once, outside the working directory,
 * so that the two are not lost or stolen together. No other part of Spoon makes a key unasked.
 * @throws SpoonError `key-missing` when there is a database already: a new key could not read it
 */
export async function ensureLocalKey(file: string, databaseFile: string): Promise<'made' | 'found'> {
  if (await exists(file)) return 'found';
  if (await exists(databaseFile)) {
    throw new SpoonError(
      'key-missing',
      `${databaseFile} was made with a key that is not at ${file}. Nothing was changed. Put the key back there, or name it in SPOON_ENCRYPTION_KEY_FILE; to start anew, move that database away.`,
    );
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    // Two that start at the same time: the other one's key is the key.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'found';
    throw error;
  }
  return 'made';
}

async function exists(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  );
}
