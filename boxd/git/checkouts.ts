import { readdirSync } from 'node:fs';
import type { CheckoutStatuses, MakeCheckout } from '../../protocol/boxdGit.ts';
import type { CheckoutStatus } from '../../protocol/threads.ts';
import { checkInHome, look } from './checkoutPlace.ts';
import { readStatus } from './checkoutStatus.ts';
import { InTurn } from './inTurn.ts';
import { makeCheckout } from './makeCheckout.ts';
import type { OperationContext } from './operations.ts';
import { askRemote } from './remote.ts';
import { readLosses, removeCheckout } from './removeCheckout.ts';
import type { Git } from './runGit.ts';
import { updateCheckout } from './updateCheckout.ts';

const maxDepth = 8;
const maxSiblings = 3;
const maxLooked = 2000;
/** Statuses that are read at once; each is a git with the whole tree to look at. */
const statusReaders = 2;

/**
 * Everything that git does for threads. One git at a time in a checkout, so that two windows never meet in one; checkouts do
 * not wait for each other. Only new ones of one spoon do: the second takes what the first has downloaded.
 */
export class Checkouts {
  readonly #git: Git;
  readonly #home: string;
  readonly #turns = new InTurn();
  readonly #atWork = new Set<string>();
  readonly #statuses = new Map<string, CheckoutStatus>();

  constructor(git: Git, home: string) {
    this.#git = git;
    this.#home = home;
  }

  make(request: MakeCheckout, context: OperationContext): Promise<unknown> {
    const spoon = request.folder.split('/').slice(0, 2).join('/');
    const make = () => makeCheckout(this.#git, this.#home, request, this.#siblings(spoon), context);
    const { signal } = context;
    return this.#turns.run(`spoon ${spoon}`, () => this.#alone(request.folder, signal, make), signal);
  }

  update(request: { folder: string; timeoutMs: number }, context: OperationContext): Promise<unknown> {
    return this.#alone(request.folder, context.signal, () => updateCheckout(this.#git, this.#home, request, context));
  }

  losses(folder: string, { signal }: OperationContext): Promise<unknown> {
    return this.#alone(folder, signal, () => readLosses(this.#git, this.#home, folder));
  }

  async remove(
    request: { folder: string; confirm: string | undefined },
    { signal }: OperationContext,
  ): Promise<unknown> {
    return this.#alone(request.folder, signal, async () => ({
      removed: await removeCheckout(this.#git, this.#home, request),
    }));
  }

  async branches(request: { url: string; timeoutMs: number }, { signal }: OperationContext): Promise<unknown> {
    const limits = { cwd: this.#home, timeoutMs: request.timeoutMs, signal };
    const { defaultBranch, branches, truncated } = await askRemote(this.#git, request.url, undefined, limits);
    return { defaultBranch, branches, truncated };
  }

  /** What was seen at most `maxAgeMs` ago, or is there now. */
  async statuses(folders: readonly string[], maxAgeMs: number): Promise<CheckoutStatuses> {
    const found = new Map<string, CheckoutStatus>();
    const left = [...folders];
    const read = async () => {
      for (let folder = left.shift(); folder !== undefined; folder = left.shift()) {
        found.set(folder, await this.#status(folder, maxAgeMs));
      }
    };
    await Promise.all(Array.from({ length: statusReaders }, read));
    return { statuses: [...found].map(([folder, status]) => ({ folder, status })) };
  }

  async #status(folder: string, maxAgeMs: number): Promise<CheckoutStatus> {
    const known = this.#statuses.get(folder);
    if (this.#atWork.has(folder)) return { ...(known ?? busy), state: 'busy', checkedMs: Date.now() };
    if (known !== undefined && Date.now() - known.checkedMs < maxAgeMs) return known;
    const status = await this.#turns.run(folder, () => readStatus(this.#git, this.#home, folder));
    if (this.#statuses.size > maxLooked) this.#statuses.clear();
    this.#statuses.set(folder, status);
    return status;
  }

  #alone<T>(folder: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const alone = async () => {
      checkInHome(this.#home, folder);
      this.#atWork.add(folder);
      try {
        return await work();
      } finally {
        this.#atWork.delete(folder);
        this.#statuses.delete(folder);
      }
    };
    return this.#turns.run(folder, alone, signal);
  }

  /** Checkouts below the spoon's folder; branches nest, so they are looked for. */
  #siblings(spoon: string): string[] {
    const found: string[] = [];
    const pending = [{ path: spoon, depth: 0 }];
    for (let looked = 0; looked < maxLooked && found.length < maxSiblings; looked++) {
      const next = pending.shift();
      if (next === undefined) break;
      if (look(this.#home, `${next.path}/.git`)?.isDirectory()) {
        found.push(next.path);
        continue;
      }
      if (next.depth >= maxDepth || look(this.#home, next.path)?.isDirectory() !== true) continue;
      for (const name of readdirSync(`${this.#home}/${next.path}`)) {
        if (!name.startsWith('.')) pending.push({ path: `${next.path}/${name}`, depth: next.depth + 1 });
      }
    }
    return found;
  }
}

const busy: CheckoutStatus = {
  state: 'busy',
  branch: null,
  dirty: 0,
  dirtyMore: false,
  ahead: null,
  behind: null,
  unpushed: 0,
  unpushedMore: false,
  stashes: 0,
  checkedMs: 0,
};
