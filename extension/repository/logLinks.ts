/** Where a line of a setup's log speaks of a place in a file. No VS Code in here. */

export interface LogLink {
  readonly start: number;
  readonly end: number;
  /** Relative to the home. */
  readonly path: string;
  readonly line: number;
}

/** `./install.sh: line 7:` of bash, `path/file:12` of nearly everything else: what follows the path. */
const places = /: line (\d{1,6})|:(\d{1,6})\b/g;
const pathCharacter = /[\w./~+-]/;
/** Longer paths have no link: a log is whatever a repository prints, and each is looked at character by character. */
const maxPathLength = 512;

/** @param home absolute, in the box; what is outside of it has no link */
export function logLinks(text: string, home: string): LogLink[] {
  const links: LogLink[] = [];
  for (const match of text.matchAll(places)) {
    const start = startOfPath(text, match.index);
    const path = placeOf(text.slice(start, match.index), home);
    if (path === undefined) continue;
    links.push({ start, end: match.index + match[0].length, path, line: Number(match[1] ?? match[2]) });
  }
  return links;
}

function startOfPath(text: string, end: number): number {
  let start = end;
  while (start > 0 && end - start < maxPathLength && pathCharacter.test(text[start - 1] ?? '')) start--;
  return start;
}

function placeOf(path: string, home: string): string | undefined {
  const absolute = path.startsWith('~/')
    ? `${home}/${path.slice(2)}`
    : path.startsWith('/')
      ? path
      : `${home}/.dotfiles/${path}`;
  if (!absolute.startsWith(`${home}/`)) return undefined;
  const segments = absolute.slice(home.length + 1).split('/');
  const plain = segments.filter((segment) => segment !== '.' && segment !== '');
  const name = plain.at(-1) ?? '';
  // `12:30:45` and `localhost:80` are no files.
  if (plain.includes('..') || !/[A-Za-z]/.test(name) || (!/[./]/.test(path) && name.length < 3)) return undefined;
  return plain.join('/');
}
