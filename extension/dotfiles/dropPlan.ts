import type { SaveBase } from '../../client/saveMany.ts';
import type { DotfileKind } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import { maxFileBytes } from '../../protocol/limits.ts';
import { joinPath, nameOf, parentOf } from './dotfileIndex.ts';

/** What an upload would do, before anything is done. No I/O. */

/** A file or link to upload, or a folder that would be empty. */
export interface Candidate {
  /** Relative to what was dropped, `/`-separated: `nvim/init.lua`. */
  readonly name: string;
  readonly kind: DotfileKind;
  readonly size: number;
}

export interface Placed<C extends Candidate> {
  readonly candidate: C;
  readonly path: HomePath;
  /** What was there when it was planned: what somebody saves meanwhile is nothing that anybody agreed to replace. */
  readonly base: SaveBase;
}

export interface Refused {
  readonly name: string;
  readonly why: string;
}

export interface UploadPlan<C extends Candidate> {
  readonly create: readonly Placed<C>[];
  readonly replace: readonly Placed<C>[];
  readonly refused: readonly Refused[];
  readonly bytes: number;
}

export interface Existing {
  readonly kind: DotfileKind;
  /** Undefined for a folder that is there only because something is in it. */
  readonly dotfile?: { readonly etag: string } | undefined;
}

export interface PlanOptions {
  /** Folder below the home, empty for the home. */
  readonly folder: string;
  /** What is at a path now. */
  readonly existing: (path: string) => Existing | undefined;
}

export function planUpload<C extends Candidate>(candidates: readonly C[], options: PlanOptions): UploadPlan<C> {
  const create: Placed<C>[] = [];
  const replace: Placed<C>[] = [];
  const refused: Refused[] = [];
  const taken = new Set<string>();
  for (const candidate of candidates) {
    try {
      // Names from macOS come decomposed; the home has them composed.
      const path = parseHomePath(joinPath(options.folder, candidate.name.normalize('NFC')));
      const existing = options.existing(path);
      const why = taken.has(path) ? 'There are two of this name.' : refusal(candidate, existing?.kind);
      taken.add(path);
      const base = existing?.dotfile ?? 'create';
      if (why === undefined) (existing === undefined ? create : replace).push({ candidate, path, base });
      else if (why !== 'nothing to do') refused.push({ name: candidate.name, why });
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      refused.push({ name: candidate.name, why: error.message });
    }
  }
  const bytes = [...create, ...replace].reduce((sum, { candidate }) => sum + candidate.size, 0);
  return { create, replace, refused, bytes };
}

function refusal(candidate: Candidate, existing: DotfileKind | undefined): string | undefined {
  if (candidate.size > maxFileBytes) return `It is larger than ${maxFileBytes / 1024 / 1024} MiB.`;
  if (candidate.kind === 'directory') {
    if (existing === 'directory') return 'nothing to do';
    return existing === undefined ? undefined : 'A file of this name is there.';
  }
  return existing === 'directory' ? 'A folder of this name is there.' : undefined;
}

/** Tells names that the person wants left out, such as `.git` or `*.swp`; `*` stands for any part of a name. */
export function excluder(patterns: readonly string[]): (name: string) => boolean {
  const plain = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const wild = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => new RegExp(`^${pattern.split('*').map(escapeRegExp).join('.*')}$`, 's'));
  return (name) => plain.has(name) || wild.some((pattern) => pattern.test(name));
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * Whether a link still leads to the same when it is uploaded along with what is around it: a relative target that does not
 * leave what was chosen.
 * @param name of the link, relative to what was chosen
 * @param isRoot the chosen folder itself becomes the home, so its first level is within
 */
export function staysInside(name: string, target: string, isRoot: boolean): boolean {
  if (target.startsWith('/') || target.includes('\\') || /^[a-z]:/i.test(target)) return false;
  const segments = parentOf(name).split('/').filter(Boolean);
  const least = isRoot ? 0 : 1;
  for (const segment of target.split('/')) {
    if (segment === '..') {
      if (segments.length <= least) return false;
      segments.pop();
    } else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.length >= least && (isRoot || segments[0] === name.split('/')[0]);
}

/** One dotfile, or a folder with all in it, that gets another path. */
export interface Move {
  readonly from: string;
  readonly to: string;
  /** What is at `to` gives way. */
  readonly overwrite: boolean;
}

export interface There {
  readonly kind: DotfileKind;
  /** How many dotfiles are in a folder. */
  readonly count?: number;
}

/** What would move inside the tree: a folder never into itself, nothing to where it is, and no file in place of a folder. */
export function planMove(
  paths: readonly string[],
  { folder, there }: { readonly folder: string; readonly there: (path: string) => There | undefined },
): { readonly moves: readonly Move[]; readonly refused: readonly Refused[] } {
  const moves: Move[] = [];
  const refused: Refused[] = [];
  for (const from of outermost(paths)) {
    const to = joinPath(folder, nameOf(from));
    if (to === from) continue;
    const taken = there(to);
    const why = `${folder}/`.startsWith(`${from}/`)
      ? 'A folder cannot go into itself.'
      : whyNotReplaced(from, to, { taken, byFolder: there(from)?.kind === 'directory' });
    if (why === undefined) moves.push({ from, to, overwrite: taken !== undefined });
    else refused.push({ name: from, why });
  }
  return { moves, refused };
}

/** As the service has it: a file replaces a file, and a folder a whole folder; never one the other. */
function whyNotReplaced(
  from: string,
  to: string,
  { taken, byFolder }: { taken: There | undefined; byFolder: boolean },
): string | undefined {
  if (taken === undefined || (taken.kind === 'directory') === byFolder) return undefined;
  if (byFolder) return `${to} is a file, which a folder cannot replace. ${from} was not moved.`;
  const { count = 0 } = taken;
  const what = count === 0 ? 'an empty folder' : `a folder with ${count === 1 ? '1 dotfile' : `${count} dotfiles`}`;
  return `${to} is ${what}, which a file cannot replace. ${from} was not moved.`;
}

/** Without what is below something else of it, which goes along anyway. */
export function outermost(paths: readonly string[]): string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
}

/** `.bashrc copy`, `init copy.lua`, `init copy 2.lua`: as the Explorer names them. */
export function freeName(path: string, isTaken: (path: string) => boolean): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let count = 1; ; count++) {
    const candidate = joinPath(parentOf(path), `${stem} copy${count === 1 ? '' : ` ${count}`}${extension}`);
    if (!isTaken(candidate)) return candidate;
  }
}
