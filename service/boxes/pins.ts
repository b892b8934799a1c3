import { SpoonError } from '../../protocol/errors.ts';
import { maxPinMs } from '../../protocol/limits.ts';
import type { Store } from '../store/database.ts';
import { InTurn } from './inTurn.ts';

/** Boxes that their users want kept up until a time. Stored, so that a restart of the service forgets none. */
export class Pins {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #until: Map<string, number>;
  /** Of two changes that come to the disk together either may go on first, and memory must end with the later one. */
  readonly #turns = new InTurn();

  private constructor(store: Store, until: Map<string, number>, now: () => number) {
    this.#store = store;
    this.#until = until;
    this.#now = now;
  }

  static async open(store: Store, now: () => number = Date.now): Promise<Pins> {
    const rows = await store.db.selectFrom('box_pins').selectAll().execute();
    return new Pins(store, new Map(rows.map(({ user_id, until_ms }) => [user_id, until_ms])), now);
  }

  /** Undefined once it is over. */
  untilMs(userId: string): number | undefined {
    const until = this.#until.get(userId);
    return until !== undefined && until > this.#now() ? until : undefined;
  }

  /** @throws SpoonError `pin-invalid` */
  async set(userId: string, untilMs: number): Promise<void> {
    const aheadMs = untilMs - this.#now();
    if (aheadMs <= 0) throw new SpoonError('pin-invalid', 'It is over already.');
    if (aheadMs > maxPinMs) throw new SpoonError('pin-invalid', `At most ${maxPinMs / 86_400_000} days ahead.`);
    const row = { user_id: userId, until_ms: untilMs };
    await this.#turns.run(userId, async () => {
      await this.#store.transaction((trx) =>
        trx
          .insertInto('box_pins')
          .values(row)
          .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ until_ms: untilMs }))
          .execute(),
      );
      this.#until.set(userId, untilMs);
    });
  }

  async clear(userId: string): Promise<void> {
    await this.#turns.run(userId, async () => {
      await this.#store.transaction((trx) => trx.deleteFrom('box_pins').where('user_id', '=', userId).execute());
      this.#until.delete(userId);
    });
  }
}
