import { lstatSync } from 'node:fs';
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

const pointerStart = 'version https://git-lfs.github.com/spec/';
/** github.com/git-lfs/git-lfs, docs/spec.md: what is larger is none. */
const maxPointerBytes = 1024;

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

/**
 * A git that writes a file of a commit with its content, from what is kept here; nothing is fetched.
 * @param run a plain one
 * @throws SpoonError `not-found` where it would write a pointer
 */
export async function withContentOf(
  run: RunGit,
  folder: string,
  { commit, path }: { commit: string; path: string },
): Promise<RunGit> {
  const start = async (by: RunGit, how: 'blob' | '--filters') => {
    let text = '';
    const onOutput = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      return text.length < maxPointerBytes;
    };
    await by(folder, ['cat-file', how, `${commit}:${path}`], { onOutput });
    return text.slice(0, maxPointerBytes);
  };
  const pointer = await start(run, 'blob');
  if (!pointer.startsWith(pointerStart)) return run;
  const [, oid = ''] = /^oid sha256:([0-9a-f]{64})$/m.exec(pointer) ?? [];
  const [, size = ''] = /^size (\d+)$/m.exec(pointer) ?? [];
  const kept = `${folder}/.git/lfs/objects/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
  // Of another size it would be fetched anew.
  if (oid !== '' && lstatSync(kept, { throwIfNoEntry: false })?.size === Number(size)) {
    const settings = filter.map((setting) => setting.replace(' --skip', '')).flatMap((setting) => ['-c', setting]);
    const environment = { GIT_LFS_SKIP_SMUDGE: '0' };
    const writing: RunGit = (cwd, args, options) =>
      run(cwd, [...settings, ...args], { ...options, environment: { ...options?.environment, ...environment } });
    const written = (await hasGitLfs(run, folder)) ? await start(writing, '--filters') : pointer;
    if (!written.startsWith(pointerStart)) return writing;
  }
  throw new SpoonError(
    'not-found',
    `Git LFS keeps ${path}, and its content is not in ~/.dotfiles. Switch Git LFS on and go back to all of that generation: that fetches it.`,
  );
}

async function hasGitLfs(run: RunGit, folder: string): Promise<boolean> {
  return (await run(folder, ['lfs', 'version'])).code === 0;
}
