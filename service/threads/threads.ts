import { CheckoutMade, CheckoutRemoved } from '../../protocol/boxdGit.ts';
import { checkBranchName } from '../../protocol/branchName.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { checkSpoonName } from '../../protocol/spoonName.ts';
import { threadFolder } from '../../protocol/threadFolder.ts';
import {
  BranchList,
  CheckoutLosses,
  type CreateThreadRequest,
  type Spoon,
  type Thread,
  UpdateOutcome,
} from '../../protocol/threads.ts';
import type { Boxes, BoxUser, RunningBox } from '../boxes/boxes.ts';
import { InTurn } from '../boxes/inTurn.ts';
import type { HomeSizes } from '../quotas/homeSizes.ts';
import { readStatuses } from './checkoutStatuses.ts';
import { type GitWatcher, runGit } from './gitOperations.ts';
import type { Spoons, StoredSpoon } from './spoons.ts';
import type { StoredThread, ThreadRecords } from './threadRecords.ts';
import { ThreadRoom } from './threadRoom.ts';

export interface ThreadsParts {
  readonly spoons: Spoons;
  readonly records: ThreadRecords;
  readonly boxes: Pick<Boxes, 'ensure' | 'running'>;
  /** @throws SpoonError `not-found` */
  readonly findUser: (userId: string) => Promise<BoxUser>;
  readonly homeSizes: Pick<HomeSizes, 'requireRoom'>;
  /** For one git command. */
  readonly timeoutMs: number;
  /** A folder was made from a repository. */
  readonly onCheckout: (
    userId: string,
    made: { readonly threadId: string; readonly url: string; readonly commit: string },
  ) => void;
}

interface Found {
  readonly spoon: StoredSpoon;
  readonly thread: StoredThread;
}

type NewSpoon = Pick<StoredSpoon, 'name' | 'url' | 'defaultBranch'> & { readonly id?: string };

/** Several windows that list at once are one look; a person who lists after a commit sees it. */
const statusAgeMs = 500;

/** Spoons and threads as their user sees them: what is stored, and what git does with it in the box. */
export class Threads {
  readonly #parts: ThreadsParts;
  readonly #room = new ThreadRoom();
  /** What makes or deletes the folder of a thread; by its id. */
  readonly #checkouts = new InTurn();

  constructor(parts: ThreadsParts) {
    this.#parts = parts;
  }

  async listSpoons(userId: string): Promise<Spoon[]> {
    const { spoons, records } = this.#parts;
    const threads = await records.list(userId);
    return (await spoons.list(userId)).map((spoon) => ({
      ...spoon,
      threads: threads.filter(({ spoonId }) => spoonId === spoon.id).length,
    }));
  }

  /** Asked of the repository by the box. @throws SpoonError `not-found`, `repository-…`, `git-…`, `box-…` */
  async branches(userId: string, spoonId: string, watcher: GitWatcher): Promise<BranchList> {
    const { spoons, timeoutMs } = this.#parts;
    const spoon = await spoons.byId(userId, spoonId);
    const box = await this.#box(userId, watcher);
    const found = await runGit(box, { kind: 'branches', url: spoon.url, timeoutMs }, BranchList, watcher);
    if (found.defaultBranch !== null) await this.#learnDefault(userId, spoon, found.defaultBranch);
    return { ...found, branches: found.branches.filter(isBranchName) };
  }

  /** @param withStatus also what is in the home, where the box runs */
  async list(userId: string, withStatus: boolean): Promise<Thread[]> {
    const { spoons, records, boxes } = this.#parts;
    const byId = new Map((await spoons.list(userId)).map((spoon) => [spoon.id, spoon]));
    const threads = (await records.list(userId)).flatMap((thread) => {
      const spoon = byId.get(thread.spoonId);
      return spoon === undefined ? [] : [plain({ spoon, thread })];
    });
    const box = boxes.running(userId);
    if (!withStatus || box === undefined || threads.length === 0) return threads;
    const statuses = await readStatuses(box, threads, statusAgeMs);
    return threads.map((thread) => ({ ...thread, status: statuses.get(thread.folder) ?? null }));
  }

  /** @throws SpoonError `not-found` */
  async read(userId: string, id: string): Promise<Thread> {
    const thread = plain(await this.#find(userId, id));
    const box = this.#parts.boxes.running(userId);
    if (box === undefined) return thread;
    return { ...thread, status: (await readStatuses(box, [thread], 0)).get(thread.folder) ?? null };
  }

  /**
   * @throws SpoonError `spoon-name-invalid`, `branch-invalid`, `url-…`, `spoon-unknown`, `spoon-exists` (with another
   * address), `thread-exists`, `thread-limit`, `home-over-quota`, `branch-…`, `checkout-…`, `repository-…`, `git-…`, `box-…`
   */
  async create(
    userId: string,
    request: CreateThreadRequest,
    watcher: GitWatcher,
  ): Promise<{ thread: Thread; notes: string[] }> {
    const { spoons, records } = this.#parts;
    const branch = checkBranchName(request.branch);
    const wanted = await this.#spoonFor(userId, request);
    if (wanted.id !== undefined && (await records.byBranch(userId, wanted.id, branch)) !== undefined) {
      throw new SpoonError('thread-exists', `${wanted.name}/${branch}`);
    }
    using _place = await this.#room.take(userId, () => records.count(userId));
    const { box, notes } = await this.#started(userId, watcher);
    await this.#parts.homeSizes.requireRoom(box);
    const made = await this.#make(box, { spoon: wanted, branch, start: request.start ?? 'either' }, watcher);
    // Only now: an address that leads nowhere leaves no spoon behind.
    const spoon =
      wanted.id === undefined
        ? await spoons.create(userId, withoutDefault(wanted))
        : await spoons.byId(userId, wanted.id);
    if (made.defaultBranch !== null) await this.#learnDefault(userId, spoon, made.defaultBranch);
    const thread = plain({ spoon, thread: await records.create(userId, spoon.id, branch) });
    this.#tell(userId, thread.id, spoon, made);
    return { thread, notes: [...notes, ...made.notes] };
  }

  /** Its folder is there afterwards. @throws SpoonError as {@link create} */
  async checkOut(userId: string, id: string, watcher: GitWatcher): Promise<{ thread: Thread; notes: string[] }> {
    await this.#find(userId, id);
    const { box, notes } = await this.#started(userId, watcher);
    const { thread, made } = await this.#makeAgain(box, id, watcher);
    return { thread, notes: [...notes, ...made.notes] };
  }

  /**
   * For what starts in a thread: its folder, relative to the home, checked out where it is missing.
   * @param name `{spoon}/{branch}`
   * @throws SpoonError `thread-unknown`, and as {@link create}
   */
  async folderFor(box: RunningBox, name: string, watcher: GitWatcher): Promise<string> {
    const { userId } = box.user;
    const { spoon, thread } = await this.#findNamed(userId, name);
    try {
      await this.#makeAgain(box, thread.id, watcher, new SpoonError('thread-unknown', 'It was deleted just now.'));
    } catch (error) {
      // A box from before threads opens terminals all the same.
      if (!(error instanceof SpoonError) || error.code !== 'box-outdated') throw error;
    }
    await this.#parts.records.touch(userId, thread.id);
    return threadFolder(spoon.name, thread.branch);
  }

  /** @throws SpoonError `not-found`, `checkout-…`, `repository-…`, `git-…`, `box-…` */
  async update(userId: string, id: string, watcher: GitWatcher): Promise<{ thread: Thread; update: UpdateOutcome }> {
    const found = await this.#find(userId, id);
    const { folder } = plain(found);
    const box = await this.#box(userId, watcher);
    const { timeoutMs } = this.#parts;
    const update = await runGit(box, { kind: 'update', folder, timeoutMs }, UpdateOutcome, watcher);
    return { thread: await this.read(userId, id), update };
  }

  /** @throws SpoonError `not-found`, `checkout-…`, `git-…`, `box-…` */
  async losses(userId: string, id: string, watcher: GitWatcher): Promise<{ losses: CheckoutLosses; thread: Thread }> {
    const thread = plain(await this.#find(userId, id));
    const box = await this.#box(userId, watcher);
    return { thread, losses: await runGit(box, { kind: 'losses', folder: thread.folder }, CheckoutLosses, watcher) };
  }

  /**
   * Deletes the checkout, then the thread. What starts in it meanwhile does not find it any more.
   * @param confirm of {@link losses}, where something would be lost
   * @param signal ends the waiting for what is being checked out there; a deletion that has begun goes on
   * @param requireFree throws when something works in it that is not to lose its folder
   * @throws SpoonError `work-would-be-lost`, and as {@link losses}; what `requireFree` throws
   */
  async remove(
    userId: string,
    id: string,
    { confirm, requireFree }: { readonly confirm: string | undefined; readonly requireFree: () => void },
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#find(userId, id);
    requireFree();
    const remove = async () => {
      const { folder } = plain(await this.#find(userId, id));
      const box = await this.#box(userId, {});
      requireFree();
      await runGit(box, { kind: 'remove', folder, confirm }, CheckoutRemoved);
      await this.#parts.records.remove(userId, id);
    };
    await this.#checkouts.run(id, remove, signal);
  }

  /** @param name `{spoon}/{branch}` @throws SpoonError `thread-unknown` */
  async named(userId: string, name: string): Promise<{ id: string; spoon: string; branch: string }> {
    const { spoon, thread } = await this.#findNamed(userId, name);
    return { id: thread.id, spoon: spoon.name, branch: thread.branch };
  }

  async #findNamed(userId: string, name: string): Promise<Found> {
    const { spoons, records } = this.#parts;
    const slash = name.indexOf('/');
    const spoon = slash < 1 ? undefined : await spoons.byName(userId, name.slice(0, slash));
    const thread = spoon && (await records.byBranch(userId, spoon.id, name.slice(slash + 1)));
    if (spoon === undefined || thread === undefined) {
      throw new SpoonError('thread-unknown', 'Give it as SPOON/BRANCH, or make it first.');
    }
    return { spoon, thread };
  }

  async #find(userId: string, id: string): Promise<Found> {
    const { spoons, records } = this.#parts;
    const thread = await records.byId(userId, id);
    return { thread, spoon: await spoons.byId(userId, thread.spoonId) };
  }

  async #spoonFor(userId: string, { spoon: name, url }: CreateThreadRequest): Promise<NewSpoon> {
    const { spoons } = this.#parts;
    const known = await spoons.byName(userId, checkSpoonName(name));
    if (known === undefined) {
      if (url === undefined) throw new SpoonError('spoon-unknown', `Say where ${name} is, with its address.`);
      return spoons.check({ name, url });
    }
    if (url !== undefined && spoons.check({ name, url }).url !== known.url) {
      throw new SpoonError('spoon-exists', `${name} has another address. Choose another name for this one.`);
    }
    return known;
  }

  #make(
    box: RunningBox,
    {
      spoon,
      branch,
      start,
      again = false,
    }: { spoon: NewSpoon; branch: string; start: 'existing' | 'new' | 'either'; again?: boolean },
    watcher: GitWatcher,
  ): Promise<CheckoutMade> {
    const { url, defaultBranch } = spoon;
    const { timeoutMs } = this.#parts;
    const checkout = { folder: threadFolder(spoon.name, branch), url, branch, start, defaultBranch, again, timeoutMs };
    return runGit(box, { kind: 'make', ...checkout }, CheckoutMade, watcher);
  }

  async #makeAgain(
    box: RunningBox,
    id: string,
    watcher: GitWatcher,
    whenGone = new SpoonError('not-found'),
  ): Promise<{ readonly thread: Thread; readonly made: CheckoutMade }> {
    const { userId } = box.user;
    const make = async () => {
      const found = await this.#find(userId, id).catch((error: unknown) => {
        throw error instanceof SpoonError && error.code === 'not-found' ? whenGone : error;
      });
      const { spoon, thread } = found;
      const made = await this.#make(box, { spoon, branch: thread.branch, start: 'either', again: true }, watcher);
      this.#tell(userId, id, spoon, made);
      return { thread: plain(found), made };
    };
    return this.#checkouts.run(id, make, watcher.signal);
  }

  #tell(userId: string, threadId: string, { url }: StoredSpoon, { commit }: CheckoutMade): void {
    if (commit !== undefined) this.#parts.onCheckout(userId, { threadId, url, commit });
  }

  async #started(userId: string, watcher: GitWatcher): Promise<{ box: RunningBox; notes: string[] }> {
    const isRunning = this.#parts.boxes.running(userId) !== undefined;
    const box = await this.#box(userId, watcher);
    return { box, notes: isRunning ? [] : ['Your box was started.'] };
  }

  async #box(userId: string, { signal, onProgress }: GitWatcher): Promise<RunningBox> {
    const { boxes, findUser } = this.#parts;
    if (boxes.running(userId) === undefined)
      onProgress?.({ phase: 'starting-box', percent: null, receivedBytes: null });
    return boxes.ensure(await findUser(userId), signal);
  }

  async #learnDefault(userId: string, spoon: StoredSpoon, branch: string): Promise<void> {
    if (spoon.defaultBranch === null && isBranchName(branch)) {
      await this.#parts.spoons.setDefaultBranch(userId, spoon, branch);
    }
  }
}

function isBranchName(name: string): boolean {
  try {
    return checkBranchName(name) === name;
  } catch (error) {
    if (error instanceof SpoonError) return false;
    throw error;
  }
}

function withoutDefault({ name, url }: NewSpoon): { name: string; url: string } {
  return { name, url };
}

function plain({ spoon, thread: { id, branch, createdMs, usedMs } }: Found): Thread {
  const folder = threadFolder(spoon.name, branch);
  return { id, spoonId: spoon.id, spoon: spoon.name, branch, folder, createdMs, usedMs, status: null };
}
