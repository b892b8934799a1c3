import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { updateLive } from './dotfileRows.ts';
import type { DotfileParts } from './planSave.ts';
import type { DotfileTree } from './tree.ts';

/**
 * Older versions are gone for good; one that is not there any more is as it should be.
 * @throws SpoonError `not-found`, `request-invalid` for the current version, `store-busy`
 */
export async function forgetVersions(
  { store }: DotfileParts,
  userId: string,
  tree: DotfileTree,
  { path, versions }: { path: HomePath; versions: readonly number[] },
): Promise<void> {
  const before = tree.get(path);
  if (before === undefined) throw new SpoonError('not-found');
  if (versions.includes(before.version)) {
    throw new SpoonError('request-invalid', 'The current version cannot be forgotten. Save another one, or remove it.');
  }
  const { drift } = before;
  const isDriftForgotten = drift !== undefined && versions.includes(drift.version);
  await store.transaction(async (trx) => {
    await trx
      .deleteFrom('dotfile_versions')
      .where('dotfile_id', '=', before.id)
      .where('user_id', '=', userId)
      .where('version', 'in', versions)
      .execute();
    if (isDriftForgotten) await updateLive(trx, userId, before, { drift_version: null, drift_base: null });
  });
  if (isDriftForgotten) tree.put({ ...before, drift: undefined });
}
