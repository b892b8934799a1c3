import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OnExisting } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { type DotfileParts, type PlannedSave, planSave, type SaveInput } from './planSave.ts';
import type { ArchivedFile } from './readArchive.ts';
import type { DotfileTree } from './tree.ts';

/** Checking, sealing and writing one takes about 0.3 ms; others get their turn in between. */
const savesPerTurn = 20;

/**
 * Many saves in one transaction, where each is checked by itself: one that a rule refuses leaves the others alone. The tree
 * is changed on the way, so after a failure it must be read anew.
 * @returns in the order of the inputs
 * @throws SpoonError for a failure of the store, and then nothing has been saved
 */
export async function saveEach(
  parts: DotfileParts,
  userId: string,
  tree: DotfileTree,
  inputs: readonly SaveInput[],
): Promise<(PlannedSave | SpoonError)[]> {
  const plans: (PlannedSave | SpoonError)[] = [];
  for (const [index, input] of inputs.entries()) {
    if (index % savesPerTurn === savesPerTurn - 1) await nextTurn();
    const plan = await planSave(parts, userId, tree, input).catch(asRefusal);
    plans.push(plan);
    // The next ones of the same list are checked against it.
    if (!(plan instanceof SpoonError)) tree.put(plan.entry);
  }
  await write(parts, plans);
  return plans;
}

/**
 * All of an archive in one transaction, or nothing of it. As {@link saveEach} about the tree.
 * @throws SpoonError `file-exists` with `count` when it may not replace; what a save throws, with the `entry`
 */
export async function saveAll(
  parts: DotfileParts,
  userId: string,
  tree: DotfileTree,
  { files, existing }: { files: readonly ArchivedFile[]; existing: OnExisting },
): Promise<{ plans: PlannedSave[]; kept: string[] }> {
  const plans: PlannedSave[] = [];
  const differing: string[] = [];
  for (const [index, { path, kind, bytes, mode }] of files.entries()) {
    if (index % savesPerTurn === savesPerTurn - 1) await nextTurn();
    const there = tree.get(path);
    const input = { path, kind, bytes, mode, origin: 'import', ifMatch: there?.etag } as const;
    const plan = await planSave(parts, userId, tree, input).catch((error: unknown) => {
      throw naming(path, error);
    });
    if (there !== undefined && plan.write !== undefined) {
      differing.push(path);
      if (existing !== 'replace') continue;
    }
    plans.push(plan);
    tree.put(plan.entry);
  }
  if (differing.length > 0 && existing === 'refuse') {
    const count = differing.length;
    const detail = `${count} would be replaced, ${differing[0]} among them. Nothing was imported.`;
    throw new SpoonError('file-exists', detail, { extra: { count } });
  }
  await write(parts, plans);
  return { plans, kept: existing === 'keep' ? differing : [] };
}

async function write({ store }: DotfileParts, plans: readonly (PlannedSave | SpoonError)[]): Promise<void> {
  const writes = plans.flatMap((plan) => (plan instanceof SpoonError || plan.write === undefined ? [] : [plan.write]));
  if (writes.length === 0) return;
  await store.transaction(async (trx) => {
    for (const [index, one] of writes.entries()) {
      if (index % savesPerTurn === savesPerTurn - 1) await nextTurn();
      await one(trx);
    }
  });
}

/** What is wrong with one file; a failure of the service is everybody's. */
function asRefusal(error: unknown): SpoonError {
  if (error instanceof SpoonError && error.status < 500) return error;
  throw error;
}

function naming(path: string, error: unknown): unknown {
  if (!(error instanceof SpoonError) || error.status >= 500) return error;
  const detail = `${path}: ${error.detail ?? error.title} Nothing was imported.`;
  return new SpoonError(error.code, detail, { cause: error, extra: { ...error.extra, entry: path } });
}
