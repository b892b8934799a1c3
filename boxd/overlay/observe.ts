import { maxFileBytes } from '../../protocol/limits.ts';
import { hasCode } from '../home/homeErrors.ts';
import { look, readRegularFile, sha256 } from '../home/homeFiles.ts';
import type { PinnedFolder } from '../home/pinnedFolder.ts';
import { type Decision, decideEntry, type Observed, type Recorded, type Wanted } from './manifestDiff.ts';

/** What is at a name, in the words of the rules. */
export function observe(folder: PinnedFolder, name: string): Observed {
  const found = look(folder, name);
  if (found.kind !== 'symlink') return found;
  return { kind: 'symlink', sha256: sha256(found.target), mtimeNs: found.mtimeNs };
}

/** The same, with the file's hash. One that cannot be read is taken for a hand edit: it has no hash that matches. */
export function observeWithHash(folder: PinnedFolder, name: string, observed: Observed): Observed {
  if (observed.kind !== 'file') return observed;
  try {
    return { ...observed, sha256: sha256(readRegularFile(folder, name, maxFileBytes)) };
  } catch (error) {
    if (!hasCode(error, 'EACCES')) throw error;
    return { ...observed, sha256: 'unreadable' };
  }
}

/** Decides about one entry, and reads the file in its place only when that matters. */
export function decide(
  folder: PinnedFolder,
  name: string,
  wanted: Wanted,
  recorded: Recorded | undefined,
): { decision: Decision; observed: Observed } {
  const observed = observe(folder, name);
  const decision = decideEntry(wanted, recorded, observed);
  if (decision.act !== 'read') return { decision, observed };
  const hashed = observeWithHash(folder, name, observed);
  return { decision: decideEntry(wanted, recorded, hashed), observed: hashed };
}
