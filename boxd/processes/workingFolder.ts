import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import { maxPathBytes, maxPathDepth, maxSegmentBytes } from '../../protocol/limits.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';

/**
 * Where a terminal or command starts (`security.md` row 69). Always inside the home; anything that cannot be used falls
 * back to the home with a note for the person. A thread's folder below `~/Code` that is not there yet is made.
 * @param asked relative to the home, or an absolute path below it; empty for the home
 */
export function findWorkingFolder(home: string, asked: string): { path: string; note?: string } {
  const fallBack = (why: string) => ({ path: home, note: `${shown(asked)} ${why}, so this starts in the home.` });
  const relative = relativeToHome(home, asked);
  if (relative === undefined) return fallBack('is outside of the home');
  if (relative === '') return { path: home };
  const path = `${home}/${relative}`;
  try {
    if (isThreadFolder(relative)) makeThreadFolder(home, relative);
    const real = realpathSync(path);
    const realHome = realpathSync(home);
    if (real !== realHome && !real.startsWith(`${realHome}/`)) return fallBack('leads out of the home');
    if (!statSync(real).isDirectory()) return fallBack('is not a folder');
    accessSync(real, constants.X_OK);
    return { path };
  } catch (error) {
    if (error instanceof SpoonError) return fallBack(`cannot be used (${error.message})`);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return fallBack('does not exist');
    if (code === 'ENOTDIR') return fallBack('is not a folder');
    return fallBack(`cannot be entered (${code})`);
  }
}

/** `undefined` for what leaves the home by its text alone. */
function relativeToHome(home: string, asked: string): string | undefined {
  if (asked === '' || asked === home || asked === '~') return '';
  let relative = asked;
  if (asked.startsWith(`${home}/`)) relative = asked.slice(home.length + 1);
  else if (asked.startsWith('~/')) relative = asked.slice(2);
  else if (asked.startsWith('/')) return undefined;
  const kept: string[] = [];
  for (const segment of relative.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.pop() === undefined) return undefined;
  }
  return kept.join('/');
}

function isThreadFolder(relative: string): boolean {
  const segments = relative.split('/');
  return (
    segments[0] === 'Code' &&
    segments.length >= 3 &&
    segments.length <= maxPathDepth &&
    relative.isWellFormed() &&
    !/\p{Cc}/u.test(relative) &&
    Buffer.byteLength(relative) <= maxPathBytes &&
    segments.every((segment) => Buffer.byteLength(segment) <= maxSegmentBytes)
  );
}

function makeThreadFolder(home: string, relative: string): void {
  const directory = HomeDirectory.open(home);
  try {
    directory.folder(relative, () => {});
  } finally {
    directory.close();
  }
}

function shown(asked: string): string {
  return asked.replaceAll(/\p{Cc}/gu, '?').slice(0, 200);
}
