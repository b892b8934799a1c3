import type { Transaction } from 'kysely';
import type { AuditEntry } from '../../protocol/audit.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { AuditRow } from '../store/auditTables.ts';
import type { Store } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import { Checkpoints } from './checkpoints.ts';
import { beginning, type Link } from './link.ts';

/** Of one entry, what is not made here. */
export type AuditEvent = Omit<AuditEntry, 'seq' | 'timeMs' | 'mac'>;

export interface AuditChainParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly now: () => number;
}

/** Checked in one turn of the event loop. */
const batchEntries = 100;

/** The rows of the audit: each sealed, and vouched for by a keyed hash that covers the one before. */
export class AuditChain {
  readonly #parts: AuditChainParts;
  readonly #checkpoints: Checkpoints;

  constructor(parts: AuditChainParts) {
    this.#parts = parts;
    this.#checkpoints = new Checkpoints(parts);
  }

  /** Behind what a checkpoint names, also where somebody took that out: numbered anew, it would be hidden and let go of. @returns its number */
  async append(trx: Transaction<Tables>, event: AuditEvent): Promise<number> {
    const { keyring, now } = this.#parts;
    const last = await trx
      .selectFrom('audit')
      .select(['seq', 'mac'])
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    const checkpoint = await this.#checkpoints.newest();
    const seq = Math.max(last?.seq ?? 0, checkpoint?.isGenuine === true ? checkpoint.eventSeq : 0) + 1;
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
