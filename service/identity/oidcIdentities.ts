import { timingSafeEqual } from 'node:crypto';
import type { Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import { requireEnabled } from './requireEnabled.ts';

type Subject = { readonly issuer: string; readonly subject: string };

/**
 * Which account an identity at a provider is. Kept as keyed hashes: a stolen database does not say who somebody is there, and who
 * can write it, but has no key, cannot give an account to another identity.
 */
export class OidcIdentities {
  readonly #parts: { readonly store: Store; readonly keyring: Keyring; readonly now: () => number };

  constructor(parts: { store: Store; keyring: Keyring; now: () => number }) {
    this.#parts = parts;
  }

  /** @throws SpoonError `integrity-failure` */
  async userOf(person: Subject): Promise<string | undefined> {
    const subject_mac = await this.#subjectMac(person);
    const { db } = this.#parts.store;
    const row = await db
      .selectFrom('oidc_identities')
      .selectAll()
      .where('subject_mac', '=', subject_mac)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const mac = await this.#linkMac(subject_mac, row.user_id);
    if (row.link_mac.length !== mac.length || !timingSafeEqual(mac, row.link_mac)) {
      throw new SpoonError('integrity-failure');
    }
    return row.user_id;
  }

  /**
   * In place of the one that the account had.
   * @param also is done with it or not at all
   * @throws SpoonError `user-disabled`, `oidc-linked` for an identity that is another account's
   */
  async link(userId: string, person: Subject, also: (trx: Transaction<Tables>) => Promise<void>): Promise<void> {
    await this.#parts.store.transaction(async (trx) => {
      await requireEnabled(trx, userId);
      await also(trx);
      await this.linkIn(trx, userId, person);
    });
  }

  /** As {@link link}, for an account that is being made. */
  async linkIn(trx: Transaction<Tables>, userId: string, person: Subject): Promise<void> {
    const subject_mac = await this.#subjectMac(person);
    const values = { subject_mac, link_mac: await this.#linkMac(subject_mac, userId), linked_ms: this.#parts.now() };
    const known = await trx
      .selectFrom('oidc_identities')
      .select('user_id')
      .where('subject_mac', '=', subject_mac)
      .executeTakeFirst();
    if (known !== undefined && known.user_id !== userId) throw new SpoonError('oidc-linked');
    await trx
      .insertInto('oidc_identities')
      .values({ user_id: userId, ...values })
      .onConflict((conflict) => conflict.column('user_id').doUpdateSet(values))
      .execute();
  }

  #subjectMac({ issuer, subject }: Subject): Promise<Uint8Array> {
    return this.#parts.keyring.mac(systemOwnerId, 'oidc', lengthPrefixed(['subject', issuer, subject]));
  }

  #linkMac(subjectMac: Uint8Array, userId: string): Promise<Uint8Array> {
    return this.#parts.keyring.mac(
      systemOwnerId,
      'oidc',
      lengthPrefixed(['link', Buffer.from(subjectMac).toString('hex'), userId]),
    );
  }
}
