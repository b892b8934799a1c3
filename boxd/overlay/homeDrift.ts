import type { HomeDrift } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomeDirectory } from '../home/homeDirectory.ts';
import { hasCode, isErrno } from '../home/homeErrors.ts';
import { describeEntry } from './homeEntry.ts';
import { decideDrift, type Recorded } from './manifestDiff.ts';
import { observe, observeWithHash } from './observe.ts';

/** How one managed file is no longer as Spoon left it. A file is read only where size and time do not tell. */
export function driftOf(home: HomeDirectory, path: string, recorded: Recorded): HomeDrift | undefined {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  try {
    const folder = home.folder(path.slice(0, Math.max(0, slash)));
    let observed = observe(folder, name);
    let state = decideDrift(recorded, observed);
    if (state === 'read') {
      observed = observeWithHash(folder, name, observed);
      state = decideDrift(recorded, observed);
    }
    if (state === undefined || state === 'read') return undefined;
    return { path, state, home: describeEntry(folder, name), base: recorded.content };
  } catch (error) {
    const cause = error instanceof SpoonError ? error.cause : error;
    const nowhere = { kind: 'missing', mode: 0, size: 0, modifiedMs: 0 } as const;
    if (hasCode(cause, 'ENOENT')) return { path, state: 'missing', home: nowhere, base: recorded.content };
    // A file in the place of a folder, a link out of the home, a folder that may not be entered: nothing of ours is there.
    if (error instanceof SpoonError || isErrno(error)) {
      return { path, state: 'replaced', home: { ...nowhere, kind: 'other' }, base: recorded.content };
    }
    throw error;
  }
}
