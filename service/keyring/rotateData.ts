import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';
import type { DataKeyRotation } from '../../protocol/keys.ts';
import type { Store } from '../store/database.ts';
import { dataKeyIdOf } from './envelope.ts';
import type { Keyring } from './keyring.ts';
import { looseDb, type SealedPlace, sealedPlacesOf } from './sealedRows.ts';

export interface DataKeyRotationParts {
  readonly store: Store;
  readonly keyring: Keyring;
  /** A value that does not open, which keeps its old key from being destroyed; or the store cannot be written. */
  readonly onProblem: (error: unknown, ownerId: string) => void;
  /** How long a request may take from sealing something to storing it. */
  readonly graceMs?: number;
}

interface SealedAnew {
  readonly place: SealedPlace;
  readonly sealed: Uint8Array;
}

const defaultGraceMs = 120_000;
/** So much is sealed anew in one transaction. */
const batchRows = 100;
const batchBytes = 4 * 1024 * 1024;

/**
 * Exchanges data keys while they are in use (docs/decisions/0194). What is to be done is in the database alone: an owner who
 * has an old key is not finished. So it goes on after a crash at any point, and what is saved meanwhile is under the new key.
 */
export class DataKeyRotations {
  readonly #parts: DataKeyRotationParts;
  readonly #graceMs: number;
  /** When somebody may last have read or sealed something under an old key of an owner, on a clock that never goes back. */
  readonly #lastUsed = new Map<string, number>();
  readonly #closing = new AbortController();
  #rows = 0;
  #unopened = 0;
  #running: Promise<void> | undefined;
  #wake: () => void = () => undefined;

  constructor(parts: DataKeyRotationParts) {
    this.#parts = parts;
    this.#graceMs = parts.graceMs ?? defaultGraceMs;
  }

  /** From when this resolves on everything of these users is sealed with new keys; the rest follows on its own. */
  async start(userIds: readonly string[]): Promise<void> {
    for (const userId of userIds) {
      // Before, too: from the commit on others may see that there is an old key.
      this.#lastUsed.set(userId, performance.now());
      await this.#parts.keyring.exchangeDataKey(this.#parts.store, userId);
      this.#lastUsed.set(userId, performance.now());
    }
    this.#wake();
    this.resume();
  }

  /** Goes on with what an earlier process has begun. */
  resume(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
  }

  async status(): Promise<DataKeyRotation> {
    return { owners: (await this.#unfinished()).length, resealed: this.#rows, unopened: this.#unopened };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#running;
  }

  async #work(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const owners = await this.#unfinished();
      if (owners.length === 0) return;
      let isDone = true;
      this.#unopened = 0;
      for (const ownerId of owners) {
        if (signal.aborted) return;
        try {
          if (!(await this.#finish(ownerId))) isDone = false;
        } catch (error) {
          isDone = false;
          this.#parts.onProblem(error, ownerId);
        }
      }
      // Everything that can be done now is: what is left waits for a request that may be under way, or for a person.
      if (!isDone && !signal.aborted) await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, this.#graceMs).unref();
    await promise;
    clearTimeout(timer);
  }

  /** @returns whether the owner's old keys are destroyed */
  async #finish(ownerId: string): Promise<boolean> {
    const { store, keyring } = this.#parts;
    const keys = await store.db
      .selectFrom('data_keys')
      .select(['id', 'state'])
      .where('owner_id', '=', ownerId)
      .execute();
    const old = keys.filter(({ state }) => state === 'decrypt-only');
    // As the database has it: what is in memory may be of before the exchange.
    const activeId = keys.find(({ state }) => state === 'active')?.id;
    if (activeId === undefined) return false;
    // Read before the pass: what is written during it by a request from before the exchange is found by the next one.
    const lastUsed = this.#lastUsed.get(ownerId);
    const mayBeUnderWay = lastUsed !== undefined && performance.now() - lastUsed < this.#graceMs;
    const { left, sealedAnew } = await this.#pass(ownerId, activeId);
    if (sealedAnew > 0) this.#lastUsed.set(ownerId, performance.now());
    if (left + sealedAnew > 0 || mayBeUnderWay || this.#closing.signal.aborted) return false;
    // These alone: the key that was active when the pass began may have been exchanged during it.
    await keyring.destroyOldDataKeys(
      store,
      old.map(({ id }) => id),
    );
    this.#lastUsed.delete(ownerId);
    return true;
  }

  /** Seals anew what is under an old key. @returns also how much of it does not open, and is left as it is */
  async #pass(ownerId: string, activeId: string): Promise<{ left: number; sealedAnew: number }> {
    const { store, keyring, onProblem } = this.#parts;
    let left = 0;
    const before = this.#rows;
    let batch: SealedAnew[] = [];
    let bytes = 0;
    for await (const place of sealedPlacesOf(store, keyring, ownerId)) {
      if (this.#closing.signal.aborted) break;
      try {
        if (dataKeyIdOf(place.blob) === activeId) continue;
        batch.push({ place, sealed: await this.#sealAnew(place) });
        bytes += place.blob.length;
      } catch (error) {
        if (!(error instanceof SpoonError) || error.code !== 'integrity-failure') throw error;
        left += 1;
        this.#unopened += 1;
        onProblem(error, ownerId);
      }
      if (batch.length >= batchRows || bytes >= batchBytes) {
        await this.#write(batch);
        [batch, bytes] = [[], 0];
      }
      // SQLite answers at once: without this nobody else would get a turn.
      await nextTurn();
    }
    await this.#write(batch);
    return { left, sealedAnew: this.#rows - before };
  }

  async #sealAnew({ column, context, blob }: SealedPlace): Promise<Uint8Array> {
    const { keyring } = this.#parts;
    if (context === undefined) throw new SpoonError('integrity-failure', `A value of ${column.table} is for nothing.`);
    return keyring.seal(context, await keyring.open(context, blob));
  }

  /** Unless it was changed meanwhile: what is there then is sealed with the new key, or found by the next pass. */
  async #write(batch: readonly SealedAnew[]): Promise<void> {
    if (batch.length === 0) return;
    await this.#parts.store.transaction(async (trx) => {
      for (const { place, sealed } of batch) {
        const { table, column, key } = place.column;
        let query = looseDb(trx)
          .updateTable(table)
          .set({ [column]: sealed })
          .where(column, '=', place.blob);
        for (const name of key) query = query.where(name, '=', place.row[name]);
        await query.execute();
      }
    });
    this.#rows += batch.length;
  }

  async #unfinished(): Promise<string[]> {
    const rows = await this.#parts.store.db
      .selectFrom('data_keys')
      .select('owner_id')
      .distinct()
      .where('state', '=', 'decrypt-only')
      .execute();
    return rows.map(({ owner_id }) => owner_id);
  }
}
