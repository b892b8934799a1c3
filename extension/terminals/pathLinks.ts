/** Paths in a line of a terminal, as programs print them: `src/a.ts:3:5`, `~/Code/api/main/a`, `a.ts(3,5)`. No VS Code in here. */

export interface PathLink {
  readonly start: number;
  readonly length: number;
  /** Relative to the home. */
  readonly path: string;
  /** From 1; undefined where none was printed. */
  readonly line: number | undefined;
  readonly column: number | undefined;
}

const maxLineLength = 1_000;
/** Each is asked for in the box, so a line of a hundred words must not become a hundred questions. */
const maxLinks = 8;
// Needs a slash or a file's extension: every other word would be asked for.
const candidate = /(?:~|\.{1,2})?(?:\/?[\w@%+=.-]+)(?:\/[\w@%+=.\-[\]]+)*/g;
const position = /^(?::(\d+)(?::(\d+))?|\((\d+)(?:,(\d+))?\))/;

/** @param cwd absolute; @param home absolute, without a slash at the end */
export function findPaths(line: string, cwd: string, home: string): PathLink[] {
  const links: PathLink[] = [];
  const text = line.slice(0, maxLineLength);
  for (const match of text.matchAll(candidate)) {
    const typed = match[0].replace(/[.,]+$/, '');
    if (!typed.includes('/') && !/\.\w{1,10}$/.test(typed)) continue;
    // Part of an address, such as https://host/path.
    if (/[a-z]:\/?\/?$/i.test(text.slice(Math.max(0, match.index - 4), match.index))) continue;
    const path = inHome(typed, cwd, home);
    if (path === undefined || path === '') continue;
    const found = position.exec(text.slice(match.index + typed.length));
    const [whole = '', line1, column1, line2, column2] = found ?? [];
    links.push({
      start: match.index,
      length: typed.length + whole.length,
      path,
      line: numberOf(line1 ?? line2),
      column: numberOf(column1 ?? column2),
    });
    if (links.length === maxLinks) break;
  }
  return links;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Undefined for what is not in the home. */
function inHome(typed: string, cwd: string, home: string): string | undefined {
  const absolute = typed.startsWith('~/')
    ? `${home}${typed.slice(1)}`
    : typed.startsWith('/')
      ? typed
      : `${cwd}/${typed}`;
  const names: string[] = [];
  for (const name of absolute.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  const path = `/${names.join('/')}`;
  return path.startsWith(`${home}/`) ? path.slice(home.length + 1) : undefined;
}
