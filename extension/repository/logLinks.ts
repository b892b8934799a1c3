/** Where a line of a setup's log speaks of a place in a file. No VS Code in here. */

export interface LogLink {
  readonly start: number;
  readonly end: number;
  /** Relative to the home. */
  readonly path: string;
  readonly line: number;
}

/** `./install.sh: line 7:` of bash, `path/file:12` of nearly everything else. */
const patterns = [
  /(?<path>[\w./~+-]+): line (?<line>\d{1,6})/g,
  /(?<path>[\w./~+-]*[\w/][\w.+-]*):(?<line>\d{1,6})\b/g,
];

/** @param home absolute, in the box; what is outside of it has no link */
export function logLinks(text: string, home: string): LogLink[] {
  const links: LogLink[] = [];
  for (const pattern of patterns) {
    for (const match of text.matchAll(pattern)) {
      const { path = '', line = '' } = match.groups ?? {};
      const place = placeOf(path, home);
      const [start, end] = [match.index, match.index + match[0].length];
      if (place === undefined || links.some((other) => start < other.end && other.start < end)) continue;
      links.push({ start, end, path: place, line: Number(line) });
    }
  }
  return links;
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
