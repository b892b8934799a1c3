import type { ThreadLosses } from '../../protocol/threads.ts';

/** Longer lists are read by nobody; the counts are of all. */
const shownOfEach = 8;

/** What *Delete Checkout* would lose, as lines; indented ones belong to the line above. No VS Code in here. */
export function lossesInWords({ losses, terminals }: ThreadLosses): string[] {
  const lines: string[] = [];
  const add = (count: number, what: string, names: readonly string[]): void => {
    if (count === 0) return;
    lines.push(`${count} ${what}:`);
    const shown = names.slice(0, shownOfEach);
    lines.push(...shown.map((name) => `  ${name}`));
    if (count > shown.length) lines.push(`  … and ${count - shown.length} more`);
  };
  if (losses.unreadable) lines.push('git cannot read it, so everything in the folder is lost.');
  add(
    losses.unpushedCount,
    losses.unpushedCount === 1 ? 'commit that is nowhere else' : 'commits that are nowhere else',
    losses.unpushed,
  );
  add(
    losses.unsavedCount,
    losses.unsavedCount === 1 ? 'file with unsaved changes' : 'files with unsaved changes',
    losses.unsaved,
  );
  add(losses.stashesCount, losses.stashesCount === 1 ? 'stash' : 'stashes', losses.stashes);
  const nothing = lines.length === 0;
  add(
    losses.ignoredCount,
    losses.ignoredCount === 1 ? 'file that git ignores' : 'files and folders that git ignores',
    losses.ignored,
  );
  if (nothing) lines.unshift('Everything in it is pushed.');
  if (terminals.length > 0)
    lines.push(
      `${terminals.length === 1 ? 'A terminal' : `${terminals.length} terminals`} in it will have no folder: ${terminals.slice(0, shownOfEach).join(', ')}`,
    );
  return lines;
}
