import type { DotfileKind, SaveWarning } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { type HomePath, isPortable, parentsOf, parseHomePath } from '../../protocol/homePath.ts';
import { maxFileBytes, maxLinkTargetBytes } from '../../protocol/limits.ts';
import type { DotfileTree, TreeEntry } from './tree.ts';

/** What may be written where, and on the strength of what. Pure: a tree in, a decision or a SpoonError out. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/;
const strongEtag = /^"v[1-9]\d{0,15}-[0-9a-f]{8}"$/;
const weakEtag = /^W\/"[^"]*"$/;

/**
 * RFC 9110 section 13, stricter in two points: what exists is only replaced by somebody who has seen it, and `*` is no proof
 * of that (security.md, catalogue rows 44 and 45).
 * @param current the etag of what is there, undefined for nothing
 * @throws SpoonError `version-required`, `version-stale`, `file-exists`, `etag-invalid`
 */
export function checkPrecondition(
  current: string | undefined,
  { ifMatch, ifNoneMatch }: { ifMatch?: string | undefined; ifNoneMatch?: string | undefined },
): void {
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new SpoonError('etag-invalid', 'If-None-Match takes * only.');
  }
  const extra = current === undefined ? {} : { etag: current };
  if (ifMatch !== undefined && ifMatch !== '*') {
    // A weak one never matches (RFC 9110 section 8.8.3.2).
    if (weakEtag.test(ifMatch)) throw new SpoonError('version-stale', 'A weak version never matches.', { extra });
    if (!strongEtag.test(ifMatch)) throw new SpoonError('etag-invalid');
    if (current === undefined) throw new SpoonError('version-stale', 'There is no such file now.');
    if (ifMatch !== current) throw new SpoonError('version-stale', 'Read it again and merge.', { extra });
    if (ifNoneMatch !== undefined) throw new SpoonError('file-exists', undefined, { extra });
    return;
  }
  if (current === undefined) return;
  if (ifNoneMatch !== undefined) throw new SpoonError('file-exists', undefined, { extra });
  throw new SpoonError('version-required', 'Send its version as If-Match.', { extra });
}

/** As for a save, but one may remove what one has not read. */
export function checkRemovalPrecondition(current: string | undefined, ifMatch: string | undefined): void {
  if (ifMatch !== undefined && ifMatch !== '*') checkPrecondition(current, { ifMatch });
}

/**
 * @throws SpoonError `path-kind-conflict` where a folder is, or would have to be, and a file is wanted, or the other way round
 */
export function checkPlace(tree: DotfileTree, path: HomePath, kind: DotfileKind): void {
  const inTheWay = parentsOf(path).find((folder) => {
    const entry = tree.get(folder);
    return entry !== undefined && entry.kind !== 'directory';
  });
  if (inTheWay !== undefined) throw new SpoonError('path-kind-conflict', `${inTheWay} is not a folder.`);
  const there = tree.get(path);
  if (kind === 'directory') {
    if (there !== undefined && there.kind !== 'directory') {
      throw new SpoonError('path-kind-conflict', `${path} is not a folder.`);
    }
  } else if (there?.kind === 'directory' || tree.hasBelow(path)) {
    throw new SpoonError('path-kind-conflict', `${path} is a folder.`);
  }
}

/** @throws SpoonError `body-too-large`, `link-target-invalid`, `request-invalid` */
export function checkBytes(kind: DotfileKind, bytes: Uint8Array): void {
  if (kind === 'directory') {
    if (bytes.length > 0) throw new SpoonError('request-invalid', 'A folder has no bytes.');
    return;
  }
  if (kind === 'file') {
    if (bytes.length > maxFileBytes) throw new SpoonError('body-too-large', `At most ${maxFileBytes} bytes.`);
    return;
  }
  if (bytes.length === 0) throw new SpoonError('link-target-invalid', 'It is empty.');
  if (bytes.length > maxLinkTargetBytes) {
    throw new SpoonError('link-target-invalid', `It is longer than ${maxLinkTargetBytes} bytes.`);
  }
  let target: string;
  try {
    target = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SpoonError('link-target-invalid', 'It is not valid UTF-8.', { cause });
  }
  if (controlCharacters.test(target)) throw new SpoonError('link-target-invalid', 'It holds a control character.');
}

export function warningsFor(tree: DotfileTree, path: HomePath): SaveWarning[] {
  const warnings: SaveWarning[] = [];
  if ([...parentsOf(path), path].some((name) => tree.otherSpellings(name).length > 0)) warnings.push('case-collision');
  if (!isPortable(path)) warnings.push('not-portable');
  return warnings;
}

/**
 * What a removal takes: the entry, or a folder with all below it.
 * @throws SpoonError `not-found`, `path-kind-conflict` for a folder that is not empty without `recursive`
 */
export function planRemoval(tree: DotfileTree, path: HomePath, recursive: boolean): TreeEntry[] {
  const entry = tree.get(path);
  const below = tree.below(path);
  if (entry === undefined && below.length === 0) throw new SpoonError('not-found');
  if (below.length > 0 && !recursive) {
    throw new SpoonError('path-kind-conflict', `${path} is a folder with ${below.length} entries. Ask for all of it.`);
  }
  return entry === undefined ? below : [entry, ...below];
}

export interface MovePlan {
  readonly moves: readonly { readonly entry: TreeEntry; readonly to: HomePath }[];
  /** What is at the target and gives way. */
  readonly replaced: readonly TreeEntry[];
}

/**
 * What a move renames and replaces. With `overwrite` a file replaces a file, and a folder a whole folder; never one the other.
 * @throws SpoonError `not-found`, `file-exists`, `path-kind-conflict`, and `path-…` for a name that gets too long or too deep
 */
export function planMove(
  tree: DotfileTree,
  { from, to, overwrite }: { from: HomePath; to: HomePath; overwrite: boolean },
): MovePlan {
  const own = tree.get(from);
  const below = tree.below(from);
  if (own === undefined && below.length === 0) throw new SpoonError('not-found');
  if (from === to) return { moves: [], replaced: [] };
  if (to.startsWith(`${from}/`)) throw new SpoonError('path-kind-conflict', 'A folder cannot be moved into itself.');
  if (from.startsWith(`${to}/`)) {
    throw new SpoonError('path-kind-conflict', 'A folder cannot be replaced by something that is in it.');
  }
  const isFolder = own === undefined || own.kind === 'directory';
  checkPlace(tree, to, isFolder ? 'directory' : own.kind);
  const target = tree.get(to);
  const replaced = target === undefined ? tree.below(to) : [target, ...tree.below(to)];
  if (replaced.length > 0 && !overwrite) throw new SpoonError('file-exists', `${to} is there already.`);
  const moves = (own === undefined ? below : [own, ...below]).map((entry) => ({
    entry,
    to: parseHomePath(to + entry.path.slice(from.length)),
  }));
  return { moves, replaced };
}
