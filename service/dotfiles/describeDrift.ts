import type { HomeDrift } from '../../protocol/boxd.ts';
import type { DotfileDrift } from '../../protocol/dotfiles.ts';
import type { Store } from '../store/database.ts';
import { newestVersionWith } from './dotfileRows.ts';
import type { DotfileTree, TreeEntry } from './tree.ts';

/**
 * Everything of a user that differs between overlay and home, by path: what a box says is in the home now, and hand edits
 * that were kept and that nobody has looked at. What a box says of files that are not in the tree is left out.
 */
export async function describeDrifts(
  store: Store,
  userId: string,
  tree: DotfileTree,
  inHome: ReadonlyMap<string, HomeDrift>,
): Promise<DotfileDrift[]> {
  // As it is for nearly everybody after nearly every save, which asks for this.
  if (inHome.size === 0 && !tree.hasKeptEdits) return [];
  const drifts: DotfileDrift[] = [];
  for (const entry of tree.sorted()) {
    const home = inHome.get(entry.path);
    if (home !== undefined) drifts.push(await describeHome(store, userId, entry, home));
    else if (entry.drift !== undefined) drifts.push(describeKept(entry, entry.drift));
  }
  return drifts;
}

async function describeHome(
  store: Store,
  userId: string,
  entry: TreeEntry,
  { state, home, base }: HomeDrift,
): Promise<DotfileDrift> {
  const isCurrent = base === entry.content;
  const baseVersion = isCurrent
    ? entry.version
    : await newestVersionWith(store.db, { userId, id: entry.id, content: base });
  const { kind, ...facts } = home;
  return {
    id: entry.id,
    path: entry.path,
    // The overlay has something newer, which could not be written over it or has not arrived yet.
    state: isCurrent || state === 'mode' ? state : 'conflict',
    ...(kind === 'missing' ? {} : { home: { kind, ...facts } }),
    ...(baseVersion === undefined ? {} : { baseVersion }),
    ...(entry.drift === undefined ? {} : { driftVersion: entry.drift.version }),
  };
}

function describeKept(entry: TreeEntry, { version, base }: NonNullable<TreeEntry['drift']>): DotfileDrift {
  return {
    id: entry.id,
    path: entry.path,
    state: base === entry.version ? 'kept' : 'conflict',
    ...(base === undefined ? {} : { baseVersion: base }),
    driftVersion: version,
  };
}
