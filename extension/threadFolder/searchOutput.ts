/** What ripgrep (or grep, where a box has no ripgrep) is asked and what it answers. No VS Code in here. */

export interface SearchMatch {
  /** Relative to the folder that was searched. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1; in bytes, as ripgrep counts. */
  readonly column: number;
  readonly text: string;
}

const maxMatchesPerFile = 50;

/** `/…/` is a regular expression; everything else is meant as it stands. Lower case finds upper case too. */
export function searchCommand(typed: string): string[] {
  const isPattern = typed.length > 2 && typed.startsWith('/') && typed.endsWith('/');
  const pattern = isPattern ? typed.slice(1, -1) : typed;
  const anyCase = pattern === pattern.toLowerCase();
  const rg = [
    'rg --no-config --no-heading --with-filename --line-number --column --null --color=never --hidden --glob=!.git',
    `--max-count=${maxMatchesPerFile} --max-columns=1000 --max-columns-preview`,
    isPattern ? '' : '--fixed-strings',
    anyCase ? '--ignore-case' : '',
    '--regexp="$1" .',
  ];
  const grep = [
    'grep --recursive --line-number --null --color=never --binary-files=without-match --exclude-dir=.git',
    `--max-count=${maxMatchesPerFile}`,
    isPattern ? '--extended-regexp' : '--fixed-strings',
    anyCase ? '--ignore-case' : '',
    '--regexp="$1" .',
  ];
  const script = `if command -v rg >/dev/null; then exec ${rg.join(' ')}; else exec ${grep.join(' ')}; fi`;
  return ['sh', '-c', script, 'sh', pattern];
}

/** Undefined for a line that is no match, such as a warning. */
export function parseMatch(line: string): SearchMatch | undefined {
  const end = line.indexOf('\0');
  if (end === -1) return undefined;
  const found = /^(\d+):(?:(\d+):)?(.*)$/s.exec(line.slice(end + 1));
  if (found === null) return undefined;
  const path = line.slice(0, end).replace(/^\.\//, '');
  return { path, line: Number(found[1]), column: Number(found[2] ?? 1), text: found[3] ?? '' };
}

/** Where a byte column of ripgrep is in a string of UTF-16, from 0. */
export function characterOf(text: string, column: number): number {
  const bytes = new TextEncoder().encode(text).subarray(0, Math.max(0, column - 1));
  return new TextDecoder().decode(bytes).length;
}

/** All files, those that git ignores left out where something knows of them. */
export const listFilesCommand: readonly string[] = [
  'sh',
  '-c',
  `fd=$(command -v fd || command -v fdfind)
if [ -n "$fd" ]; then exec "$fd" --type f --type l --hidden --exclude .git --color never --strip-cwd-prefix
elif command -v rg >/dev/null; then exec rg --no-config --files --hidden --glob '!.git'
elif git rev-parse --git-dir >/dev/null 2>&1; then exec git ls-files --cached --others --exclude-standard
else exec find . -name .git -prune -o \\( -type f -o -type l \\) -print; fi`,
];
