import { timingSafeEqual } from 'node:crypto';
import { SpoonError } from '../../protocol/errors.ts';
import type { StoreLook } from '../store/lookAtStore.ts';
import type { KeyringRow } from '../store/tables.ts';
import { deriveKeyEncryptionKey, hashReady, type KeyEncryptionKey } from './derive.ts';
import type { RootKey, RootKeyCandidate } from './rootKey.ts';

export interface MatchedKeys {
  /** The current root key's, if the database knows it; undefined at a first start and at the start of a rotation. */
  readonly current: KeyEncryptionKey | undefined;
  /** All that open something, by id. */
  readonly known: ReadonlyMap<string, KeyEncryptionKey>;
}

async function match(candidate: RootKeyCandidate, row: KeyringRow): Promise<KeyEncryptionKey | undefined> {
  const kek = deriveKeyEncryptionKey(await candidate.bytes(row.kdf_salt));
  if (row.kcv.length !== kek.checkValue.length || row.id !== kek.id) return undefined;
  return timingSafeEqual(row.kcv, kek.checkValue) ? kek : undefined;
}

/**
 * Which of the given root keys the database knows. Reads only, so it can run before anything is opened for writing.
 * @throws SpoonError `key-wrong` when it knows none of them, or when it has lost its keyring
 */
export async function matchKeys(
  { keyring, holdsSealedRows }: Pick<StoreLook, 'keyring' | 'holdsSealedRows'>,
  root: RootKey,
): Promise<MatchedKeys> {
  await hashReady();
  const known = new Map<string, KeyEncryptionKey>();
  let current: KeyEncryptionKey | undefined;
  for (const row of keyring) {
    const kek = await match(root.current, row);
    if (kek !== undefined) {
      current = kek;
      known.set(kek.id, kek);
    }
    for (const candidate of kek === undefined ? root.old : []) {
      const oldKek = await match(candidate, row);
      if (oldKek !== undefined) known.set(oldKek.id, oldKek);
    }
  }
  if (keyring.length === 0 && holdsSealedRows) {
    throw new SpoonError('key-wrong', 'The database holds data, but its keyring is empty. Restore it from a backup.');
  }
  const [first] = keyring;
  if (first !== undefined && known.size === 0) {
    const { id } = deriveKeyEncryptionKey(await root.current.bytes(first.kdf_salt));
    const expected = keyring.map((row) => row.id).join(' or ');
    throw new SpoonError(
      'key-wrong',
      `${root.source} has the key id ${id}, expected ${expected}. Set the key it was made with.`,
    );
  }
  return { current, known };
}

/** For `openStore`: refuses a wrong key while not a byte has been changed. @throws SpoonError `key-wrong` */
export function refuseWrongKey(root: RootKey): (look: StoreLook) => Promise<void> {
  return async (look) => {
    await matchKeys(look, root);
  };
}
