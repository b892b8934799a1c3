import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';
import { ExpiringCache } from '../keyring/expiringCache.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import { StaleTree } from './dotfileRows.ts';
import { openEntries } from './sealedDotfile.ts';
import { DotfileTree } from './tree.ts';
import { pageOfLiveRows } from './treeRows.ts';

/** A stored object that failed its check; the others go on. */
export interface Damage {
  readonly userId: string;
  readonly dotfileId: string;
  readonly error: SpoonError;
}

/** Sealing 10,000 names takes about 0.3 s: others get their turn in between (security.md R12). */
export const entriesPerTurn = 500;
const maxCachedEntries = 200_000;
const lifeMs = 15 * 60_000;

/**
 * The tree of each user, read once and then kept up to date by every write. All work on one user's tree is done one at a
 * time, so that what a rule saw is what is written.
 */
export class UserTrees {
  readonly #parts: { readonly store: Store; readonly keyring: Keyring; readonly onDamage: (damage: Damage) => void };
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #trees = new ExpiringCache<DotfileTree>({
    maxWeight: maxCachedEntries,
    weigh: (tree) => tree.size + 1,
    lifeMs,
  });

  constructor(parts: { store: Store; keyring: Keyring; onDamage: (damage: Damage) => void }) {
    this.#parts = parts;
  }

  /** @param work changes the tree only after its transaction is committed; runs a second time if the tree was out of date */
  use<T>(userId: string, work: (tree: DotfileTree) => Promise<T>): Promise<T> {
    return this.#takeTurn(userId, async () => {
      try {
        return await work(await this.#tree(userId));
      } catch (error) {
        if (!(error instanceof StaleTree)) throw error;
      }
      this.#trees.drop(userId);
      try {
        return await work(await this.#tree(userId));
      } catch (error) {
        throw error instanceof StaleTree ? error.otherwise : error;
      }
    });
  }

  /** The user's rows have been changed past the tree. */
  forget(userId: string): void {
    this.#trees.drop(userId);
  }

  close(): void {
    this.#trees.clear();
  }

  async #takeTurn<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(userId);
    const run = async (): Promise<T> => {
      // How the one before ended is its own caller's business.
      await before?.catch(() => undefined);
      return work();
    };
    const mine = run();
    this.#last.set(userId, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(userId) === mine) this.#last.delete(userId);
    }
  }

  async #tree(userId: string): Promise<DotfileTree> {
    const cached = this.#trees.get(userId);
    if (cached !== undefined) return cached;
    const { store, keyring, onDamage } = this.#parts;
    const tree = new DotfileTree();
    for (let after: Uint8Array | undefined = new Uint8Array(); after !== undefined; ) {
      const { rows, end } = await pageOfLiveRows(store.db, userId, after);
      const opened = await openEntries(keyring, userId, rows);
      for (const [index, { id }] of rows.entries()) {
        const entry = opened[index];
        if (entry instanceof SpoonError) {
          tree.damaged++;
          onDamage({ userId, dotfileId: id, error: entry });
        } else if (entry !== undefined) tree.put(entry);
      }
      after = end;
      await nextTurn();
    }
    this.#trees.put(userId, tree);
    return tree;
  }
}
