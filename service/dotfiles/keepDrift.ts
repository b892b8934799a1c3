import type { DotfileVersion } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import { insertVersion, pruneVersions, updateLive, versionFacts } from './dotfileRows.ts';
import { contentMac, sealContent } from './sealedDotfile.ts';
import type { DotfileTree, TreeEntry } from './tree.ts';
import { checkBytes } from './treeRules.ts';

export interface Drift {
  readonly path: HomePath;
  readonly bytes: Uint8Array;
  /** As found in the home; bits that Spoon does not keep are left out. */
  readonly mode: number;
  /** The content, as hex, that Spoon had written there and on top of which the edit was made. */
  readonly base?: string | undefined;
}

/**
 * Keeps what a person changed in the home as a version of origin `drift`, without making it current (security.md decision 5).
 * @returns that version, or a kept one that has the same bytes and mode
 * @throws SpoonError `not-found`, `body-too-large`, `store-busy`
 */
export async function keepDrift(
  { store, keyring, now }: { store: Store; keyring: Keyring; now: () => number },
  userId: string,
  tree: DotfileTree,
  { path, bytes, mode: foundMode, base: baseContent }: Drift,
): Promise<DotfileVersion> {
  checkBytes('file', bytes);
  // As Spoon may write it back: an edit is not lost over odd permissions.
  const mode = (foundMode & 0o777) | 0o400;
  const entry = tree.get(path);
  if (entry === undefined) throw new SpoonError('not-found');
  const content = await contentMac(keyring, userId, bytes);
  const kept = await versionFacts(store.db, { userId, id: entry.id, current: entry.version });
  const base = kept.find((fact) => fact.content === baseContent)?.version.version;
  const same = kept.find(
    (fact) => fact.content === content && fact.version.mode === mode && fact.version.kind === 'file',
  );
  const nowMs = now();
  const version = same?.version.version ?? entry.lastVersion + 1;
  // What is current already needs nobody to look at it.
  const pending = version === entry.version ? entry.drift : { version, base };
  const after: TreeEntry = { ...entry, lastVersion: Math.max(entry.lastVersion, version), drift: pending };
  const columns = {
    last_version: after.lastVersion,
    drift_version: pending?.version ?? null,
    drift_base: pending?.base ?? null,
  };
  if (same !== undefined) {
    await store.transaction((trx) => updateLive(trx, userId, entry, columns));
    tree.put(after);
    return same.version;
  }
  const drift: TreeEntry = { ...entry, kind: 'file', version, mode, content, size: bytes.length, modifiedMs: nowMs };
  const blob = await sealContent(keyring, userId, drift, bytes);
  await store.transaction(async (trx) => {
    await updateLive(trx, userId, entry, columns);
    await insertVersion(trx, { userId, entry: drift, blob, origin: 'drift' });
    await pruneVersions(trx, after, nowMs);
  });
  tree.put(after);
  return { version, kind: 'file', mode, size: bytes.length, origin: 'drift', createdMs: nowMs, current: false };
}
