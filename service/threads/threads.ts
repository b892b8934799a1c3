import { checkBranchName } from '../../protocol/branchName.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { checkSpoonName } from '../../protocol/spoonName.ts';
import { type CreateThreadRequest, type Spoon, type Thread, threadFolder } from '../../protocol/threads.ts';
import type { Spoons, StoredSpoon } from './spoons.ts';
import type { StoredThread, ThreadRecords } from './threadRecords.ts';

export interface ThreadsParts {
  readonly spoons: Spoons;
  readonly records: ThreadRecords;
}

/** Spoons and threads as their user sees them: what is stored, and what is in the home. */
export class Threads {
  readonly #parts: ThreadsParts;

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

  async list(userId: string): Promise<Thread[]> {
    const { spoons, records } = this.#parts;
    const byId = new Map((await spoons.list(userId)).map((spoon) => [spoon.id, spoon]));
    return (await records.list(userId)).flatMap((thread) => {
      const spoon = byId.get(thread.spoonId);
      return spoon === undefined ? [] : [plain(spoon, thread)];
    });
  }

  /**
   * @throws SpoonError `spoon-name-invalid`, `branch-invalid`, `url-…`, `spoon-unknown`, `spoon-exists` (with another
   * address), `thread-exists`, `thread-limit`
   */
  async create(userId: string, request: CreateThreadRequest): Promise<{ thread: Thread; notes: string[] }> {
    const { records } = this.#parts;
    const branch = checkBranchName(request.branch);
    const spoon = await this.#spoonFor(userId, request);
    if ((await records.byBranch(userId, spoon.id, branch)) !== undefined) {
      throw new SpoonError('thread-exists', `${spoon.name}/${branch}`);
    }
    await records.checkRoom(userId);
    return { thread: plain(spoon, await records.create(userId, spoon.id, branch)), notes: [] };
  }

  /** @throws SpoonError `not-found` */
  async remove(userId: string, id: string): Promise<void> {
    await this.#parts.records.remove(userId, id);
  }

  /** The folder of `{spoon}/{branch}`, relative to the home. @throws SpoonError `thread-unknown` */
  async folderOf(userId: string, name: string): Promise<string> {
    const { spoons, records } = this.#parts;
    const slash = name.indexOf('/');
    const [spoonName, branch] = [name.slice(0, Math.max(0, slash)), name.slice(slash + 1)];
    const spoon = await spoons.byName(userId, spoonName);
    const thread = spoon === undefined ? undefined : await records.byBranch(userId, spoon.id, branch);
    if (spoon === undefined || thread === undefined) {
      throw new SpoonError('thread-unknown', 'Give it as SPOON/BRANCH, or make it first.');
    }
    await records.touch(userId, thread.id);
    return threadFolder(spoon.name, branch);
  }

  async #spoonFor(userId: string, { spoon: name, url }: CreateThreadRequest): Promise<StoredSpoon> {
    const { spoons } = this.#parts;
    const known = await spoons.byName(userId, checkSpoonName(name));
    if (known === undefined) {
      if (url === undefined) throw new SpoonError('spoon-unknown', `Say where ${name} is, with its address.`);
      return spoons.create(userId, { name, url });
    }
    if (url !== undefined && spoons.check({ name, url }).url !== known.url) {
      throw new SpoonError('spoon-exists', `${name} has another address. Choose another name for this one.`);
    }
    return known;
  }
}

function plain(spoon: StoredSpoon, { id, branch, createdMs, usedMs }: StoredThread): Thread {
  const folder = threadFolder(spoon.name, branch);
  return { id, spoonId: spoon.id, spoon: spoon.name, branch, folder, createdMs, usedMs, status: null };
}
