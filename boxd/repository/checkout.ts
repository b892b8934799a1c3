import { lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import { isCommit, lostCommit } from '../../protocol/repositoryAddress.ts';
import { repositoryFolder } from '../../protocol/setupScript.ts';
import { gitError } from '../git/gitErrors.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { toHomeError } from '../home/homeErrors.ts';
import { bringExtras } from './extras.ts';
import { type CheckoutParts, must, type RunGit, runner, throughRename } from './gitRunner.ts';
import { withLargeFiles } from './largeFiles.ts';
import { limitCheckout } from './limitCheckout.ts';
import { keepLocalChanges, rememberTaken } from './localChanges.ts';
import { moveAside } from './moveAside.ts';
import type { RunRequest } from './runRequest.ts';

export interface Checkout {
  readonly commit: string;
  readonly notes: readonly string[];
}

/**
 * `~/.dotfiles` at the commit that counts: fetched in place where it is a checkout of this repository already, else cloned
 * beside and put there. What a person changed in it is kept as a branch first; what else has the name goes to the backups.
 * @throws SpoonError `repository-…`, `ref-missing`, `git-…`, `insufficient-storage`, `home-not-writable`; the signal's reason
 */
export async function bringCheckout(parts: CheckoutParts, request: RunRequest): Promise<Checkout> {
  const folder = `${parts.home}/${repositoryFolder}`;
  const deadlineMs = Date.now() + request.cloneMs;
  const plain = runner(parts, deadlineMs);
  const run = request.lfs ? await withLargeFiles(plain, parts.home) : plain;
  const extras = { say: parts.say, request };
  if (await isCheckoutOf(run, folder, request.url)) {
    const commit = request.commit ?? (await resolveRef(run, parts.home, request));
    const kept = await keepLocalChanges(run, folder, commit);
    await checkOut(run, folder, { ...request, commit });
    await rememberTaken(run, folder, commit);
    const notes = await bringExtras(run, folder, { ...extras, commit });
    return { commit, notes: kept === undefined ? notes : [keptNote(kept), ...notes] };
  }
  return inFreshFolder(parts.home, async (fresh) => {
    const commit = await clone(run, fresh, request);
    await rememberTaken(run, fresh, commit);
    const notes = await bringExtras(run, fresh, { ...extras, commit });
    const moved = moveAside(parts.home, repositoryFolder);
    renameSync(fresh, folder);
    if (moved !== undefined) notes.unshift(`What was at ~/${repositoryFolder} is at ~/${moved} now.`);
    return { commit, notes };
  });
}

export interface LookedAt {
  readonly root: string;
  readonly commit: string;
  /** The checkout that has the objects of the commit. */
  readonly objects: string;
  /** `~/.dotfiles` is a checkout of this repository already. */
  readonly isKnown: boolean;
  readonly run: RunGit;
}

/**
 * The files that a run would have in `~/.dotfiles`, in a folder that is gone afterwards; `~/.dotfiles` stays as it is.
 * @throws SpoonError as {@link bringCheckout}
 */
export async function lookAtCheckout<T>(
  parts: CheckoutParts,
  request: RunRequest,
  work: (found: LookedAt) => Promise<T>,
): Promise<T> {
  const folder = `${parts.home}/${repositoryFolder}`;
  const run = runner(parts, Date.now() + request.cloneMs);
  const isKnown = await isCheckoutOf(run, folder, request.url);
  return inFreshFolder(parts.home, async (root) => {
    const { commit } = request;
    const isHere = isKnown && commit !== null && (await hasCommit(run, folder, commit));
    if (!isHere) return work({ root, commit: await clone(run, root, request), objects: root, isKnown, run });
    const environment = { GIT_INDEX_FILE: `${root}.index` };
    await limitCheckout(run, folder, commit, request.maxBytes);
    try {
      await must(run(folder, ['read-tree', commit], { environment }));
      await must(run(folder, ['checkout-index', '--all', `--prefix=${root}/`], { environment }));
    } finally {
      rmSync(environment.GIT_INDEX_FILE, { force: true });
    }
    return work({ root, commit, objects: folder, isKnown, run });
  });
}

/** The commit that the ref of a repository points to; nothing is fetched. @throws SpoonError `ref-missing`, `repository-…` */
export async function resolveRef(
  run: RunGit,
  cwd: string,
  { url, ref }: Pick<RunRequest, 'url' | 'ref'>,
): Promise<string> {
  if (ref !== null && isCommit(ref)) return ref;
  const wanted = ref === null ? ['HEAD'] : [`refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`];
  const { stdout } = await must(await throughRename(url, (at) => run(cwd, ['ls-remote', '--', at, ...wanted])));
  const found = new Map(stdout.split('\n').map((line) => line.split('\t', 2).reverse() as [string, string]));
  const commit = wanted.map((name) => found.get(name)).find((id) => id !== undefined);
  if (commit === undefined || !isCommit(commit)) {
    throw new SpoonError('ref-missing', ref === null ? 'It has no commit yet.' : noRef(ref));
  }
  return commit;
}

async function isCheckoutOf(run: RunGit, folder: string, url: string): Promise<boolean> {
  if (lstatSync(`${folder}/.git`, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  if (!lstatSync(folder).isDirectory()) return false;
  const { code, stdout } = await run(folder, ['config', '--local', '--get', 'remote.origin.url']);
  return code === 0 && [url, `${url}.git`].includes(stdout.trim());
}

async function clone(run: RunGit, fresh: string, request: RunRequest): Promise<string> {
  const { url, ref, commit } = request;
  if (ref !== null && isCommit(ref)) {
    await must(run(fresh, ['init', '--quiet', '--initial-branch=main']));
    await must(run(fresh, ['remote', 'add', 'origin', url]));
    return await checkOut(run, fresh, { ...request, commit: commit ?? ref });
  }
  const which = ref === null ? [] : ['--branch', ref];
  const args = [
    'clone',
    '--no-recurse-submodules',
    '--single-branch',
    '--depth=1',
    '--no-tags',
    '--no-checkout',
    ...which,
    '--',
  ];
  const result = await throughRename(url, (at) => run(fresh, [...args, at, '.']));
  if (ref !== null && /Remote branch .* not found/.test(result.stderr)) throw new SpoonError('ref-missing', noRef(ref));
  await must(result);
  const { stdout } = await run(fresh, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  const tip = stdout.trim();
  if (!isCommit(tip)) throw new SpoonError('ref-missing', 'It has no commit yet.');
  return await checkOut(run, fresh, { ...request, commit: commit ?? tip });
}

async function checkOut(
  run: RunGit,
  folder: string,
  of: Pick<RunRequest, 'ref' | 'maxBytes'> & { commit: string },
): Promise<string> {
  await fetchCommit(run, folder, of);
  await limitCheckout(run, folder, of.commit, of.maxBytes);
  await must(run(folder, ['reset', '--hard', of.commit, '--']));
  return of.commit;
}

/** Alone where the server gives single commits, as all of today's do; else with the history of the ref. */
async function fetchCommit(
  run: RunGit,
  folder: string,
  { ref, commit }: Pick<RunRequest, 'ref'> & { commit: string },
): Promise<void> {
  if (await hasCommit(run, folder, commit)) return;
  const alone = await run(folder, ['fetch', '--no-tags', '--depth=1', 'origin', commit]);
  if (alone.code === 0) return;
  if (!/unadvertised object|not our ref|couldn't find remote ref/i.test(alone.stderr)) throw gitError(alone.stderr);
  const name = ref === null || isCommit(ref) ? 'HEAD' : ref;
  await must(run(folder, ['fetch', '--no-tags', '--depth=2147483647', 'origin', name]));
  if (await hasCommit(run, folder, commit)) return;
  throw new SpoonError('ref-missing', lostCommit(commit));
}

async function hasCommit(run: RunGit, folder: string, commit: string): Promise<boolean> {
  return (await run(folder, ['cat-file', '-e', `${commit}^{commit}`])).code === 0;
}

async function inFreshFolder<T>(home: string, work: (folder: string) => Promise<T>): Promise<T> {
  const fresh = freshFolder(home);
  try {
    return await work(fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

let freshCount = 0;

/** Below `~/.spoon`, which is on the same file system, so that it can be put into its place by one rename. */
function freshFolder(home: string): string {
  const path = `.spoon/clone-${process.pid}-${freshCount++}`;
  const directory = HomeDirectory.open(home);
  try {
    directory.folder('.spoon', () => {});
  } finally {
    directory.close();
  }
  rmSync(`${home}/${path}`, { recursive: true, force: true });
  try {
    mkdirSync(`${home}/${path}`, { mode: 0o700 });
  } catch (error) {
    throw toHomeError(error, path);
  }
  return `${home}/${path}`;
}

function keptNote(branch: string): string {
  return `You had changed something in ~/${repositoryFolder}. It is kept there as the branch ${branch}.`;
}

function noRef(ref: string): string {
  return `There is none called "${ref}". Choose another.`;
}
