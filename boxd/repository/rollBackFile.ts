import { lstatSync, realpathSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import { checkFilePath } from '../../protocol/filePath.ts';
import { repositoryFolder } from '../../protocol/setupScript.ts';
import { gitError } from '../git/gitErrors.ts';
import { hasCode } from '../home/homeErrors.ts';
import type { RunGit } from './gitRunner.ts';
import { withContentOf, withLargeFiles } from './largeFiles.ts';
import { hasLinks, linkEntries } from './links.ts';
import { moveAside } from './moveAside.ts';
import { overlayPaths } from './overlayPaths.ts';

/** A path is a name, whatever is in it. */
const literally = { environment: { GIT_LITERAL_PATHSPECS: '1' } };

/**
 * One file of `~/.dotfiles` as an earlier commit has it; the checkout stays at its own commit, everything else as it is.
 * @param text of the home, also through a link into the checkout, or of the repository
 * @returns what a person should know
 * @throws SpoonError `path-…`, `not-found`, `home-not-writable`, `insufficient-storage`, `git-…`
 */
export async function rollBackFile(
  plain: RunGit,
  home: string,
  { commit, path: text }: { commit: string; path: string },
): Promise<string[]> {
  const root = `${home}/${repositoryFolder}`;
  const path = inRepository(home, checkFilePath(text));
  const run = await withLargeFiles(plain, home);
  const { code, stdout } = await run(root, ['cat-file', '-t', `${commit}:${path}`]);
  if (code !== 0)
    throw new SpoonError('not-found', `That generation has no ${path}, or its commit is not here any more.`);
  if (stdout.trim() !== 'blob') throw new SpoonError('not-found', `${path} is a folder. Name one file of it.`);
  const isSame = async (of: string) => (await run(root, ['diff', '--quiet', of, '--', path], literally)).code === 0;
  const isThere = lstatSync(`${root}/${path}`, { throwIfNoEntry: false }) !== undefined;
  if (isThere && (await isSame(commit))) return [`~/${repositoryFolder}/${path} is like that already.`];
  const writing = await withContentOf(plain, root, { commit, path });
  const notes: string[] = [];
  if (isThere && !(await isSame('HEAD'))) {
    const kept = moveAside(home, `${repositoryFolder}/${path}`);
    notes.push(`You had changed it. What was there is ~/${kept} now.`);
  }
  const done = await writing(root, ['restore', `--source=${commit}`, '--worktree', '--', path], literally);
  if (done.code !== 0) throw gitError(done.stderr);
  if (hasLinks(home) && lstatSync(`${home}/${path}`, { throwIfNoEntry: false }) === undefined) {
    linkEntries(home, overlayPaths(home));
  }
  if (overlayPaths(home).includes(path)) notes.push(`~/${path} itself is a dotfile of Spoon, which wins.`);
  return [
    `~/${repositoryFolder}/${path} is as that generation had it. The next update keeps it as a branch.`,
    ...notes,
  ];
}

/** `.vimrc`, `.dotfiles/.vimrc` and a link of a script's that leads there are the same file. */
function inRepository(home: string, path: string): string {
  if (path.startsWith(`${repositoryFolder}/`)) return path.slice(repositoryFolder.length + 1);
  try {
    const [real, root] = [realpathSync(`${home}/${path}`), `${realpathSync(`${home}/${repositoryFolder}`)}/`];
    return real.startsWith(root) ? real.slice(root.length) : path;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return path;
    throw error;
  }
}
