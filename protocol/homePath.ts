import { SpoonError } from './errors.ts';
import { maxPathBytes, maxPathDepth, maxSegmentBytes } from './limits.ts';

declare const brand: unique symbol;
/** A path relative to the home, canonical and checked: `.bashrc`, `.config/nvim/init.lua`. */
export type HomePath = string & { readonly [brand]: 'HomePath' };

const encoder = new TextEncoder();
// C0, DEL, C1, line and paragraph separators, bidirectional controls: a name that hides what it is (CVE-2021-42574).
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff]/u;
const temporaryPrefix = '.spoon-tmp-';

/**
 * The one reader of home-relative paths (rules: design section 5). Strict: nothing is repaired.
 * @throws SpoonError `path-…` with the rule that was broken, `invalid-encoding` for a lone surrogate
 */
export function parseHomePath(text: string): HomePath {
  if (text === '') throw new SpoonError('path-empty');
  if (!text.isWellFormed()) throw new SpoonError('invalid-encoding');
  if (controlCharacters.test(text)) throw new SpoonError('path-control-char');
  if (text.includes('\\')) throw new SpoonError('path-backslash');
  if (text.startsWith('/')) throw new SpoonError('path-absolute');
  if (text.startsWith('~')) throw new SpoonError('path-tilde');
  const segments = text.split('/');
  if (segments.includes('..') || text === '.') throw new SpoonError('path-traversal');
  if (segments.some((segment) => segment === '' || segment === '.')) throw new SpoonError('path-not-canonical');
  if (text.normalize('NFC') !== text) throw new SpoonError('path-not-nfc');
  if (segments.some((segment) => isLonger(segment, maxSegmentBytes))) throw new SpoonError('path-segment-too-long');
  if (isLonger(text, maxPathBytes)) throw new SpoonError('path-too-long');
  if (segments.length > maxPathDepth) throw new SpoonError('path-too-deep');
  if (segments[0] === '.spoon' || segments.some((segment) => segment.startsWith(temporaryPrefix))) {
    throw new SpoonError('path-reserved', 'Choose a name outside .spoon.');
  }
  if (segments[0] === 'Code' || segments.includes('.git')) throw new SpoonError('path-not-managed');
  return text as HomePath;
}

/** In UTF-8. A code unit takes three bytes at most, so most names need no encoding: an overlay has thousands of them. */
function isLonger(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && encoder.encode(text).length > maxBytes;
}

/**
 * What a person types, made canonical where the meaning is plain: `~/x`, `./x`, `/home/{username}/x`, doubled and
 * trailing slashes, decomposed letters. Anything else is left for {@link parseHomePath} to refuse.
 */
export function repairHomePath(typed: string, username?: string): string {
  let path = typed.trim().normalize('NFC');
  const home = username === undefined ? undefined : `/home/${username}/`;
  if (home !== undefined && path.startsWith(home)) path = path.slice(home.length);
  else if (path.startsWith('~/')) path = path.slice(2);
  return path
    .split('/')
    .filter((segment, index) => segment !== '.' && !(segment === '' && index > 0))
    .join('/');
}

/** The folders above a path, outermost first: `a/b/c` has `a` and `a/b`. */
export function parentsOf(path: HomePath): HomePath[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/') as HomePath);
}

/** What travels badly to other systems, for a hint beside a saved file; never a reason to refuse. */
export function isPortable(path: HomePath): boolean {
  return path
    .split('/')
    .every(
      (segment) =>
        !/^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i.test(segment) &&
        !/[. ]$/.test(segment) &&
        !/[<>:"|?*]/.test(segment),
    );
}
