import type { Applied, SaveResult } from '../../protocol/dotfiles.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Saved } from './dotfiles.ts';

export interface DotfileChange {
  readonly saved?: HomePath[];
  readonly removed?: HomePath[];
}

export interface ChangeHearers {
  /** Brings a committed change to the user's running box; by path what became of it. Does not reject for a box's sake. */
  readonly apply: (userId: string, change: DotfileChange) => Promise<Map<string, Applied>>;
  readonly publish: (userId: string, event: SpoonEvent) => void;
}

/** Worst first: one answer for a folder is that of its worst file. */
const byImportance: readonly Applied['state'][] = ['refused', 'conflict', 'pending', 'applied', 'off', 'boxOff'];

/** The home told after the commit, the other windows after that. */
export async function applyAndTell(
  { apply, publish }: ChangeHearers,
  userId: string,
  change: DotfileChange,
): Promise<Map<string, Applied>> {
  const applied = await apply(userId, change);
  for (const [path, result] of applied) {
    if (result.state !== 'boxOff' && result.state !== 'off')
      publish(userId, { type: 'dotfile.applied', path, applied: result });
  }
  return applied;
}

/** The answer to a save, once everybody knows of it. */
export async function tellSaved(
  hearers: ChangeHearers,
  { userId, clientId }: { userId: string; clientId: string | null },
  { dotfile, warnings, changed }: Saved,
): Promise<SaveResult> {
  if (changed) hearers.publish(userId, { type: 'dotfile.saved', dotfile, clientId });
  const applied = await applyAndTell(hearers, userId, { saved: [dotfile.path as HomePath] });
  return { dotfile, applied: worstOf(applied), warnings };
}

/** By id, those of which there is a version more. */
export function changedOf(saved: readonly Saved[]): string[] {
  return saved.filter(({ changed }) => changed).map(({ dotfile }) => dotfile.id);
}

/** Nothing to apply counts as applied. */
export function worstOf(applied: ReadonlyMap<string, Applied>): Applied {
  const all = [...applied.values()];
  const worst = byImportance.map((state) => all.find((one) => one.state === state)).find((one) => one !== undefined);
  return worst ?? { state: 'applied' };
}
