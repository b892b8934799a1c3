import type { OverlayEntry, OverlayOutcome } from '../../protocol/boxd.ts';
import type { Applied } from '../../protocol/dotfiles.ts';
import type { TakenOut } from '../../protocol/dotfilesSwitch.ts';
import { errorTable, isErrorCode } from '../../protocol/errors.ts';
import { maxKeptNames } from '../../protocol/limits.ts';
import { onOneLine } from '../../protocol/plainText.ts';

/** Rules of bringing an overlay to a box: pure, nothing is read or sent here. */

export interface OverlayDiff {
  readonly entries: OverlayEntry[];
  readonly removed: string[];
}

/** What has to be sent to a home that has `before`, so that it has `after`. */
export function diffOverlays(before: readonly OverlayEntry[], after: readonly OverlayEntry[]): OverlayDiff {
  const known = new Map(before.map((entry) => [entry.path, entry]));
  const wanted = new Set(after.map(({ path }) => path));
  return {
    entries: after.filter((entry) => !isSame(known.get(entry.path), entry)),
    removed: before.map(({ path }) => path).filter((path) => !wanted.has(path)),
  };
}

/** What a box says of a home that dotfiles were taken out of. */
export function takenOutFrom(outcomes: readonly OverlayOutcome[]): TakenOut {
  const of = (wanted: OverlayOutcome['result']) => outcomes.filter(({ result }) => result === wanted);
  const kept = of('kept').map(({ path }) => onOneLine(path));
  return {
    removed: of('removed').length + of('restored').length,
    restored: of('restored').length,
    kept: kept.sort().slice(0, maxKeptNames),
  };
}

function isSame(one: OverlayEntry | undefined, other: OverlayEntry): boolean {
  return one?.kind === other.kind && one.mode === other.mode && one.content === other.content;
}

/** What one file's outcome is called in the answer to a save. Texts for people are made here and not in the box. */
export function appliedFrom(outcome: OverlayOutcome): Applied {
  const { result, backupKind, backup, code } = outcome;
  if (result === 'refused') {
    const why = isErrorCode(code) ? errorTable[code].title : 'The box refused it.';
    return { state: 'refused', detail: `${why} The file is saved in Spoon, the one in the home is as it was.` };
  }
  if (result === 'kept') {
    return { state: 'conflict', detail: 'It was changed in the box after Spoon wrote it, so it was left in the home.' };
  }
  if (backup !== undefined && backupKind === 'edit') {
    return { state: 'conflict', detail: 'It had been changed in the box. That edit is kept as a version of the file.' };
  }
  if (backup !== undefined) {
    return { state: 'applied', detail: 'A symbolic link was in the way. It is kept below ~/.spoon/backup.' };
  }
  return { state: 'applied' };
}
