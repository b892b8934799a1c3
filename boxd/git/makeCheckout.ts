import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import type { CheckoutMade, MakeCheckout } from '../../protocol/boxdGit.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { CheckoutProgress } from '../../protocol/threads.ts';
import { hasCode, toHomeError } from '../home/homeErrors.ts';
import { borrowObjects } from './borrowObjects.ts';
import { inTheWay, lookAtPlace, removeEmptyAbove } from './checkoutPlace.ts';
import { localGit } from './checkoutStatus.ts';
import { gitError } from './gitErrors.ts';
import { readProgress } from './gitProgress.ts';
import type { OperationContext } from './operations.ts';
import { askRemote, type RemoteBranches } from './remote.ts';
import type { Git } from './runGit.ts';
import { StatusOutput } from './statusOutput.ts';

/** A branch's name never starts with a dot, so no checkout has such a name. */
const temporaryPrefix = '.spoon-tmp-';

/**
 * Makes a branch's checkout in a temporary folder beside its place and moves it there when it is whole: what is cancelled,
 * times out or fails leaves nothing, and nothing that was there is touched.
 * @param siblings folders of the spoon's other checkouts, to take objects from
 */
export async function makeCheckout(
  git: Git,
  home: string,
  request: MakeCheckout,
  siblings: readonly string[],
  { signal, onProgress }: OperationContext,
): Promise<CheckoutMade> {
  const { folder, branch } = request;
  const place = lookAtPlace(home, folder);
  if (place.kind === 'checkout') {
    if (!request.again) await checkAdoptable(git, home, request);
    return { isNew: false, defaultBranch: null, notes: request.again ? [] : ['The checkout was there already.'] };
  }
  const spoonFolder = folder.split('/').slice(0, 2).join('/');
  const temporary = `${home}/${spoonFolder}/${temporaryPrefix}${randomBytes(6).toString('hex')}`;
  let remote: RemoteBranches;
  let isNew: boolean;
  let commit: string;
  try {
    const limits = { timeoutMs: request.timeoutMs, signal, cwd: home };
    remote = await askRemote(git, request.url, branch, limits);
    isNew = chooseStart(request, remote);
    sweep(home, spoonFolder);
    mkdirSync(temporary, { mode: 0o755 });
    const run = new Steps(git, temporary, limits, onProgress);
    await run.step(['init', '--quiet', '--template=', `--initial-branch=${branch}`, '.']);
    await run.step(['config', 'remote.origin.url', remote.url]);
    await run.step(['config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*']);
    await borrow(run, home, siblings);
    await run.step(['fetch', '--progress', '--prune', '--no-recurse-submodules', 'origin']);
    if (remote.defaultBranch !== null) {
      const head = `refs/remotes/origin/${remote.defaultBranch}`;
      if ((await run.ask(['rev-parse', '--verify', '--quiet', head])) !== '') {
        await run.step(['symbolic-ref', 'refs/remotes/origin/HEAD', head]);
      }
    }
    const start = startOf(remote, isNew, request);
    if (start !== undefined) {
      if ((await run.ask(['rev-parse', '--verify', '--quiet', start])) === '') {
        throw new SpoonError('branch-missing', `New branches start from ${request.defaultBranch}, which is not there.`);
      }
      const track = isNew ? '--no-track' : '--track';
      await run.step(['checkout', '--progress', track, '-b', branch, start, '--']);
    }
    commit = (await run.ask(['rev-parse', '--verify', '--quiet', 'HEAD'])).trim();
    signal.throwIfAborted();
    moveInto(temporary, home, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    removeEmptyAbove(home, folder);
    throw error instanceof SpoonError ? error : toHomeError(error, folder);
  }
  const at = commit === '' ? {} : { commit };
  return { isNew, defaultBranch: remote.defaultBranch, ...at, notes: notesOf(request, remote, isNew) };
}

/** Each git of one checkout, under the one time limit. */
class Steps {
  readonly cwd: string;
  readonly #git: Git;
  readonly #endsMs: number;
  readonly #signal: AbortSignal;
  readonly #onProgress: (progress: CheckoutProgress) => void;
  #progress: CheckoutProgress = { phase: 'connecting', percent: null, receivedBytes: null };
  readonly #timeoutMs: number;

  constructor(
    git: Git,
    cwd: string,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
    onProgress: (progress: CheckoutProgress) => void,
  ) {
    this.#git = git;
    this.cwd = cwd;
    this.#timeoutMs = timeoutMs;
    this.#endsMs = performance.now() + timeoutMs;
    this.#signal = signal;
    this.#onProgress = onProgress;
  }

  async step(args: readonly string[], environment: Record<string, string> = {}): Promise<void> {
    const { code, stderr } = await this.#run(args, environment);
    if (code !== 0) throw gitError(stderr);
  }

  /** Whether it worked, for what may fail. */
  async try(args: readonly string[], environment: Record<string, string> = {}): Promise<boolean> {
    return (await this.#run(args, environment)).code === 0;
  }

  async ask(args: readonly string[]): Promise<string> {
    return (await this.#run(args, {})).stdout.trim();
  }

  async #run(args: readonly string[], environment: Record<string, string>) {
    const leftMs = this.#endsMs - performance.now();
    try {
      return await this.#git.run({
        args,
        cwd: this.cwd,
        trust: 'guarded',
        timeoutMs: Math.max(1, leftMs),
        signal: this.#signal,
        environment,
        onProgress: (text) => {
          this.#progress = readProgress(text, this.#progress);
          this.#onProgress(this.#progress);
        },
      });
    } catch (error) {
      if (!(error instanceof SpoonError) || error.code !== 'git-timeout') throw error;
      const seconds = Math.round(this.#timeoutMs / 1000);
      throw new SpoonError(
        'git-timeout',
        `It had ${seconds} s. The operator can allow more with SPOON_GIT_TIMEOUT_MS.`,
      );
    }
  }
}

/** @returns whether the branch is to be made @throws SpoonError `branch-missing`, `branch-exists` */
function chooseStart({ branch, start }: MakeCheckout, remote: RemoteBranches): boolean {
  const exists = remote.branches.includes(branch);
  if (exists && start === 'new') throw new SpoonError('branch-exists', `Open ${branch} as an existing one.`);
  if (!exists && start === 'existing') throw new SpoonError('branch-missing', `${branch} can be made as a new one.`);
  return !exists;
}

/** What a new branch starts from; undefined in a repository without commits. @throws SpoonError `branch-missing` */
function startOf(remote: RemoteBranches, isNew: boolean, request: MakeCheckout): string | undefined {
  if (!isNew) return `refs/remotes/origin/${request.branch}`;
  const base = request.defaultBranch ?? remote.defaultBranch;
  return base === null ? undefined : `refs/remotes/origin/${base}`;
}

function notesOf({ branch, defaultBranch }: MakeCheckout, remote: RemoteBranches, isNew: boolean): string[] {
  if (!isNew) return [];
  const base = defaultBranch ?? remote.defaultBranch;
  return [
    base === null ? `The repository is empty; ${branch} is its first branch.` : `${branch} is new, from ${base}.`,
  ];
}

/**
 * Takes the objects of another checkout of the same spoon, then its remote branches, so that the fetch that follows asks
 * for news only. Without effect where that does not work: the fetch gets everything then.
 */
async function borrow(run: Steps, home: string, siblings: readonly string[]): Promise<void> {
  for (const sibling of siblings) {
    if (borrowObjects(`${home}/${sibling}/.git/objects`, `${run.cwd}/.git/objects`) === 0) continue;
    // The one place where a path is fetched from: Spoon's own, below this home, and nothing of the address is in it.
    const allowed = { GIT_ALLOW_PROTOCOL: 'file' };
    const refs = '+refs/remotes/origin/*:refs/remotes/origin/*';
    const fetch = ['-c', 'protocol.file.allow=always', 'fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];
    if (await run.try([...fetch, `${home}/${sibling}`, refs], allowed)) return;
  }
}

/** A folder of that branch that somebody made: used as it is when it is that very branch and clean. */
async function checkAdoptable(git: Git, home: string, { folder, branch, url }: MakeCheckout): Promise<void> {
  const cwd = `${home}/${folder}`;
  const origin = (await localGit(git, cwd, ['config', '--default', '', '--get', 'remote.origin.url'])).trim();
  const plain = (address: string) => address.replace(/\/+$/, '').replace(/\.git$/, '');
  if (plain(origin) !== plain(url)) throw inTheWay(folder, 'a checkout of another repository');
  const output = new StatusOutput({ maxEntries: 1, maxNames: 0 });
  const { code, stderr } = await git.run({
    args: ['status', '--porcelain=v2', '--branch', '-z'],
    cwd,
    trust: 'local',
    timeoutMs: 10_000,
    onOutput: (chunk) => output.add(chunk),
  });
  if (code !== 0 && code !== null) throw gitError(stderr);
  if (output.unsavedCount > 0) throw new SpoonError('checkout-dirty', `~/${folder}`, { extra: { path: folder } });
  if (output.branch !== branch) throw inTheWay(folder, `a checkout of ${output.branch ?? 'no branch'}`);
}

function moveInto(temporary: string, home: string, folder: string): void {
  // Again: minutes may have passed. rename(2) takes the place of an empty folder and of nothing else.
  if (lookAtPlace(home, folder).kind !== 'free') throw inTheWay(folder, 'a checkout that was made meanwhile');
  try {
    renameSync(temporary, `${home}/${folder}`);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
    throw inTheWay(folder, 'something that was made meanwhile');
  }
}

/** What a box that was ended in the middle has left; the spoon's checkouts are made one at a time. */
function sweep(home: string, spoonFolder: string): void {
  for (const name of readdirSync(`${home}/${spoonFolder}`)) {
    if (name.startsWith(temporaryPrefix)) rmSync(`${home}/${spoonFolder}/${name}`, { recursive: true, force: true });
  }
}
