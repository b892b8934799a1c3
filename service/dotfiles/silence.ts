import type { Dotfile } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { updateLive } from './dotfileRows.ts';
import type { DotfileParts } from './planSave.ts';
import { type DotfileTree, dotfileOf } from './tree.ts';

/** Whether its owner wants to hear about what looks like a secret in it. Makes no version. @throws SpoonError `not-found` */
export async function silence(
  { store, now }: DotfileParts,
  userId: string,
  tree: DotfileTree,
  { path, silenced }: { path: HomePath; silenced: boolean },
): Promise<Dotfile> {
  const before = tree.get(path);
  if (before === undefined) throw new SpoonError('not-found');
  const after = { ...before, secretsSilencedMs: silenced ? (before.secretsSilencedMs ?? now()) : undefined };
  const columns = { secrets_silenced_ms: after.secretsSilencedMs ?? null };
  await store.transaction((trx) => updateLive(trx, userId, before, columns));
  tree.put(after);
  return dotfileOf(after);
}
