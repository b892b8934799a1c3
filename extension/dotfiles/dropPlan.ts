import { SpoonError } from '../../protocol/errors.ts';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import { maxFileBytes } from '../../protocol/limits.ts';

/** What an upload would do, before anything is done. No I/O. */

/** A file to upload, or a folder that would be empty. */
export interface Candidate {
  /** Relative to what was dropped, `/`-separated: `nvim/init.lua`. */
  readonly name: string;
  readonly kind: 'file' | 'directory';
  readonly size: number;
}

export interface Placed<C extends Candidate> {
  readonly candidate: C;
  readonly path: HomePath;
}

export interface Refused {
  readonly name: string;
  readonly why: string;
}

export interface UploadPlan<C extends Candidate> {
  readonly create: readonly Placed<C>[];
  readonly replace: readonly Placed<C>[];
  readonly refused: readonly Refused[];
  /** Left out by name, such as `.git`. */
  readonly excluded: number;
  readonly bytes: number;
}

export interface PlanOptions {
  /** Folder below the home, empty for the home. */
  readonly folder: string;
  readonly exclude: readonly string[];
  /** What is at a path now. */
  readonly existing: (path: string) => 'file' | 'symlink' | 'directory' | undefined;
}

export function planUpload<C extends Candidate>(candidates: readonly C[], options: PlanOptions): UploadPlan<C> {
  const excluded = new Set(options.exclude);
  const create: Placed<C>[] = [];
  const replace: Placed<C>[] = [];
  const refused: Refused[] = [];
  let left = 0;
  for (const candidate of candidates) {
    // Names from macOS come decomposed; the home has them composed.
    const name = candidate.name.normalize('NFC');
    if (name.split('/').some((segment) => excluded.has(segment))) {
      left += 1;
      continue;
    }
    try {
      const path = parseHomePath(options.folder === '' ? name : `${options.folder}/${name}`);
      const placed = { candidate, path };
      const why = refusal(candidate, options.existing(path));
      if (why === undefined) (options.existing(path) === undefined ? create : replace).push(placed);
      else if (why !== 'nothing to do') refused.push({ name: candidate.name, why });
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      refused.push({ name: candidate.name, why: error.message });
    }
  }
  const bytes = [...create, ...replace].reduce((sum, { candidate }) => sum + candidate.size, 0);
  return { create, replace, refused, excluded: left, bytes };
}

function refusal(candidate: Candidate, existing: 'file' | 'symlink' | 'directory' | undefined): string | undefined {
  if (candidate.size > maxFileBytes) return `It is larger than ${maxFileBytes / 1024 / 1024} MiB.`;
  if (candidate.kind === 'directory') {
    if (existing === 'directory') return 'nothing to do';
    return existing === undefined ? undefined : 'A file of this name is there.';
  }
  return existing === 'directory' ? 'A folder of this name is there.' : undefined;
}

/** What would move inside the tree: a folder never into itself, and nothing to where it is. */
export function planMove(
  paths: readonly string[],
  folder: string,
): { readonly moves: readonly { from: string; to: string }[]; readonly refused: readonly Refused[] } {
  const moves: { from: string; to: string }[] = [];
  const refused: Refused[] = [];
  // What is below something that moves goes along with it.
  const outermost = paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
  for (const from of outermost) {
    const name = from.slice(from.lastIndexOf('/') + 1);
    const to = folder === '' ? name : `${folder}/${name}`;
    if (to === from) continue;
    if (`${folder}/`.startsWith(`${from}/`)) refused.push({ name: from, why: 'A folder cannot go into itself.' });
    else moves.push({ from, to });
  }
  return { moves, refused };
}
