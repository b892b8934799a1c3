/** What an import, upload or drop of a whole folder leaves out by itself: nobody means it when they say "my dotfiles". */

const ignoredNames = new Set([
  '.git',
  '.hg',
  '.svn',
  'node_modules',
  '__pycache__',
  '.spoon',
  // What file managers leave behind
  '.DS_Store',
  '.localized',
  '.Trash',
  '.Trashes',
  '.Spotlight-V100',
  '.fseventsd',
  '__MACOSX',
  '.directory',
  'Thumbs.db',
  'desktop.ini',
]);
/** AppleDouble companions, editors' swap, lock and backup files, compiled Python. */
const ignoredPatterns = [/^\._/, /^\..*\.sw[a-z]$/, /^\.#/, /^#.*#$/, /~$/, /\.pyc$/];
/** At the top of a home only: made by programs, large, and made again when missing. */
const ignoredAtTop = new Set(['.cache']);

/** @param path relative to the folder that is imported, `/`-separated */
export function isIgnored(path: string): boolean {
  const segments = path.split('/');
  return ignoredAtTop.has(segments[0] ?? '') || segments.some(isIgnoredName);
}

/** The same for one name: a walk does not go into such a folder. */
export function isIgnoredName(name: string): boolean {
  return ignoredNames.has(name) || ignoredPatterns.some((pattern) => pattern.test(name));
}
