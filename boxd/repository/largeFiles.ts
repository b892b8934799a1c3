import { SpoonError } from '../../protocol/errors.ts';
import { isSshAddress } from '../../protocol/sshAddress.ts';
import { must, type RunGit } from './gitRunner.ts';

/** As `git lfs install` would write it, but that nothing is fetched by the way: what is missing stays a pointer. */
const filter = [
  'filter.lfs.clean=git-lfs clean -- %f',
  'filter.lfs.smudge=git-lfs smudge --skip -- %f',
  'filter.lfs.process=git-lfs filter-process --skip',
  'filter.lfs.required=true',
];

/** Whether the attributes of a commit give files to Git LFS. */
export async function hasLargeFiles(run: RunGit, folder: string, commit: string): Promise<boolean> {
  const places = [':(top).gitattributes', ':(top,glob)**/.gitattributes'];
  return (await run(folder, ['grep', '--quiet', '--fixed-strings', 'filter=lfs', commit, '--', ...places])).code === 0;
}

/**
 * Puts the contents in place of the pointers. From the repository's own server: a `.lfsconfig` in it names no other.
 * @param run one of {@link withLargeFiles}
 * @param gitFolder where they are kept
 * @throws SpoonError `git-lfs-missing`, `repository-…`, `git-…`
 */
export async function bringLargeFiles(
  run: RunGit,
  folder: string,
  { url, commit, gitFolder }: { url: string; commit: string; gitFolder: string },
): Promise<void> {
  if (!(await hasLargeFiles(run, folder, commit))) return;
  if (isSshAddress(url)) throw new SpoonError('repository-refused', 'Git LFS is used with an https address only.');
  if (!(await hasGitLfs(run, folder))) {
    throw new SpoonError('git-lfs-missing', 'The repository keeps files with Git LFS. Use an image that has git-lfs.');
  }
  const place = `${url.replace(/\.git$/, '')}.git/info/lfs`;
  const settings = [`lfs.url=${place}`, 'lfs.transfer.maxretries=2'].flatMap((setting) => ['-c', setting]);
  await must(run(folder, [...settings, 'lfs', 'pull'], { growsAt: `${gitFolder}/lfs` }));
}

/** A git that keeps large files apart in whatever it compares and writes; as it is where the box has no git-lfs. */
export async function withLargeFiles(run: RunGit, folder: string): Promise<RunGit> {
  if (!(await hasGitLfs(run, folder))) return run;
  const settings = filter.flatMap((setting) => ['-c', setting]);
  return (cwd, args, options) => run(cwd, [...settings, ...args], options);
}

async function hasGitLfs(run: RunGit, folder: string): Promise<boolean> {
  return (await run(folder, ['lfs', 'version'])).code === 0;
}
