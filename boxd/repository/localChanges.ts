import { rmSync } from 'node:fs';
import { maxGenerations } from '../../protocol/limits.ts';
import { must, type RunGit } from './gitRunner.ts';

const lastTaken = 'refs/spoon/taken';
const generations = 'refs/spoon/generations';
const identity = {
  GIT_AUTHOR_NAME: 'Spoon',
  GIT_AUTHOR_EMAIL: 'spoon@localhost',
  GIT_COMMITTER_NAME: 'Spoon',
  GIT_COMMITTER_EMAIL: 'spoon@localhost',
};

/**
 * Before a checkout is set to another commit: what a person changed in it, files and commits, as a branch of its own.
 * Files that are new or removed count; what `.gitignore` names stays where it is anyway.
 * @returns the branch; undefined where there was nothing
 */
export async function keepLocalChanges(run: RunGit, folder: string, next: string): Promise<string | undefined> {
  const git = async (args: readonly string[], environment: Record<string, string> = {}): Promise<string> =>
    (await must(run(folder, args, { environment }))).stdout.trim();
  const head = (await run(folder, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])).stdout.trim();
  if (head === '') return undefined;
  const status = await git(['status', '--porcelain', '--untracked-files=normal', '--ignore-submodules=all']);
  const taken = (await run(folder, ['rev-parse', '--verify', '--quiet', lastTaken])).stdout.trim();
  const hasCommits = head !== next && taken !== '' && head !== taken;
  if (status === '' && !hasCommits) return undefined;
  let commit = head;
  if (status !== '') {
    // An index of its own: what a person has staged is not touched by the look at it.
    const index = { GIT_INDEX_FILE: `${await git(['rev-parse', '--absolute-git-dir'])}/spoon-index` };
    try {
      await git(['read-tree', head], index);
      await git(['add', '--all', '--', '.'], index);
      const tree = await git(['write-tree'], index);
      commit = await git(['commit-tree', tree, '-p', head, '-m', 'Kept by Spoon before an update'], identity);
    } finally {
      rmSync(index.GIT_INDEX_FILE, { force: true });
    }
  }
  const branch = `spoon/kept-${new Date().toISOString().replaceAll(/[-:.]/g, '')}`;
  await git(['branch', '--no-track', branch, commit]);
  return branch;
}

/**
 * Remembers what Spoon itself put there, so that a later update can tell a person's commits from it, and keeps the commits
 * of the last generations from being collected, so that going back to one asks nobody.
 */
export async function rememberTaken(run: RunGit, folder: string, commit: string): Promise<void> {
  const stamp = new Date().toISOString().replaceAll(/[-:.]/g, '');
  for (const ref of [lastTaken, `${generations}/${stamp}`]) {
    await must(run(folder, ['update-ref', ref, commit]));
  }
  const { stdout } = await run(folder, ['for-each-ref', '--format=%(refname)', generations]);
  const old = stdout.trim().split('\n').slice(0, -maxGenerations);
  for (const ref of old) await run(folder, ['update-ref', '-d', ref]);
}
