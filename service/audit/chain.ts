import type { Transaction } from 'kysely';
import type { AuditEntry } from '../../protocol/audit.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { AuditRow } from '../store/auditTables.ts';
import type { Store } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';

/** Of one entry, what is not made here. */
export type AuditEvent = Omit<AuditEntry, 'seq' | 'timeMs' | 'mac'>;

/** One end of the chain: what the next entry covers. */
export interface Link {
  readonly seq: number;
  readonly mac: Uint8Array;
}

export interface AuditChainParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly now: () => number;
}

/** What the first entry covers. */
export const beginning: Link = { seq: 0, mac: new Uint8Array(32) };
const batchEntries = 500;

/** The rows of the audit: each sealed, and vouched for by a keyed hash that covers the one before. */
export class AuditChain {
  readonly #parts: AuditChainParts;

  constructor(parts: AuditChainParts) {
    this.#parts = parts;
  }

  /** @returns its number */
  async append(trx: Transaction<Tables>, event: AuditEvent): Promise<number> {
    const { keyring, now } = this.#parts;
    const last = await trx
      .selectFrom('audit')
      .select(['seq', 'mac'])
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    const seq = (last?.seq ?? 0) + 1;
    const entry_enc = await keyring.seal(contextOf(seq), Buffer.from(JSON.stringify(event)));
    const row = { seq, time_ms: now(), entry_enc };
    await trx
      .insertInto('audit')
      .values({ ...row, mac: await this.#macOf(row, last?.mac ?? beginning.mac) })
      .execute();
    return seq;
  }

  /** The next so many. */
  after(seq: number): Promise<AuditRow[]> {
    const { db } = this.#parts.store;
    return db.selectFrom('audit').selectAll().where('seq', '>', seq).orderBy('seq').limit(batchEntries).execute();
  }

  /** @throws SpoonError `integrity-failure` */
  async open(row: AuditRow): Promise<AuditEntry> {
    const bytes = await this.#parts.keyring.open(contextOf(row.seq), row.entry_enc);
    const event = JSON.parse(Buffer.from(bytes).toString('utf8')) as AuditEvent;
    return { seq: row.seq, timeMs: row.time_ms, ...event, mac: hexOf(row.mac) };
  }

  /** @returns the entry, or what is wrong with it as the one that follows `before`, in words */
  async check(row: AuditRow, before: Link): Promise<AuditEntry | string> {
    if (row.seq !== before.seq + 1) return 'It is missing.';
    if (!Buffer.from(await this.#macOf(row, before.mac)).equals(row.mac))
      return 'It, or the one before it, was changed.';
    try {
      return await this.open(row);
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      return 'It cannot be read.';
    }
  }

  #macOf({ seq, time_ms, entry_enc }: Omit<AuditRow, 'mac'>, before: Uint8Array): Promise<Uint8Array> {
    return this.#parts.keyring.mac(
      systemOwnerId,
      'audit',
      lengthPrefixed([before, String(seq), String(time_ms), entry_enc]),
    );
  }
}

function contextOf(seq: number) {
  return { ownerId: systemOwnerId, kind: 'secret', objectId: 'audit', version: seq, mode: 0 } as const;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
