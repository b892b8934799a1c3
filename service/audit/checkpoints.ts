import type { Transaction } from 'kysely';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { AuditCheckpointRow } from '../store/auditTables.ts';
import type { Store } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import type { Link } from './link.ts';

/** All entries up to this one have been let go of. */
export interface Checkpoint extends Link {
  readonly timeMs: number;
  /** Of the entry that says so. */
  readonly eventSeq: number;
}

/** Of the entry that a checkpoint goes with; its detail `to` is the same number. */
export const removalEvent = 'audit.remove';

/** Where the audit begins now. Only who has the key makes one: entries that nobody vouches for having removed are missing. */
export class Checkpoints {
  readonly #store: Store;
  readonly #keyring: Keyring;

  constructor({ store, keyring }: { readonly store: Store; readonly keyring: Keyring }) {
    this.#store = store;
    this.#keyring = keyring;
  }

  /** Undefined: none was ever removed. One that is not genuine says nothing, and nothing may be hidden or deleted for it. */
  async newest(): Promise<(Checkpoint & { readonly isGenuine: boolean }) | undefined> {
    const { db } = this.#store;
    const row = await db.selectFrom('audit_checkpoints').selectAll().orderBy('seq', 'desc').limit(1).executeTakeFirst();
    if (row === undefined) return undefined;
    const isGenuine = Buffer.from(await this.#macOf(row)).equals(row.row_mac);
    return { seq: row.seq, mac: row.mac, timeMs: row.time_ms, eventSeq: row.event_seq, isGenuine };
  }

  async add(trx: Transaction<Tables>, { seq, mac, timeMs, eventSeq }: Checkpoint): Promise<void> {
    const row = { seq, mac, time_ms: timeMs, event_seq: eventSeq };
    await trx
      .insertInto('audit_checkpoints')
      .values({ ...row, row_mac: await this.#macOf(row) })
      .execute();
  }

  #macOf({ seq, mac, time_ms, event_seq }: Omit<AuditCheckpointRow, 'row_mac'>): Promise<Uint8Array> {
    const data = lengthPrefixed([String(seq), mac, String(time_ms), String(event_seq)]);
    return this.#keyring.mac(systemOwnerId, 'audit-checkpoint', data);
  }
}
