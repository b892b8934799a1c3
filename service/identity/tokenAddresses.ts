import type { Keyring } from '../keyring/keyring.ts';
import { systemOwnerId } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';

export interface TokenAddressesParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly now: () => number;
  readonly maxPerToken?: number;
}

/** So many are known without asking the store. */
const maxKnown = 10_000;

/** From which networks each token has been used: one that turns up elsewhere may be in other hands. */
export class TokenAddresses {
  readonly #parts: TokenAddressesParts;
  /** Also those that are just being looked up. */
  readonly #known = new Set<string>();

  constructor(parts: TokenAddressesParts) {
    this.#parts = parts;
  }

  /**
   * Costs the store nothing where the token was there before in the life of this process.
   * @param tell of a network from which it never came; only when that has resolved does it count as known
   */
  async note(tokenId: string, network: string, tell: () => Promise<void>): Promise<void> {
    const key = `${tokenId} ${network}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    for (const oldest of this.#known) {
      if (this.#known.size <= maxKnown) break;
      this.#known.delete(oldest);
    }
    try {
      const { store, keyring, now } = this.#parts;
      const address_mac = await keyring.mac(systemOwnerId, 'address', Buffer.from(key));
      const found = await store.db
        .selectFrom('token_addresses')
        .select('first_ms')
        .where('token_id', '=', tokenId)
        .where('address_mac', '=', address_mac)
        .executeTakeFirst();
      if (found !== undefined) return;
      await tell();
      await store.transaction(async (trx) => {
        // Meanwhile it may be gone with its user.
        const token = await trx.selectFrom('tokens').select('id').where('id', '=', tokenId).executeTakeFirst();
        if (token === undefined) return;
        const row = { token_id: tokenId, address_mac, first_ms: now() };
        await trx
          .insertInto('token_addresses')
          .values(row)
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const kept = await trx
          .selectFrom('token_addresses')
          .select('address_mac')
          .where('token_id', '=', tokenId)
          .orderBy('first_ms', 'desc')
          .execute();
        for (const { address_mac: old } of kept.slice(this.#parts.maxPerToken ?? 64)) {
          await trx
            .deleteFrom('token_addresses')
            .where('token_id', '=', tokenId)
            .where('address_mac', '=', old)
            .execute();
        }
      });
    } catch (error) {
      this.#known.delete(key);
      throw error;
    }
  }
}
