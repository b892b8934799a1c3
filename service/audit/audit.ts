import { setImmediate } from 'node:timers/promises';
import type { AuditEntry, AuditHead, AuditPage, AuditQuery, AuditReport } from '../../protocol/audit.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { AuditRow } from '../store/auditTables.ts';
import type { Store } from '../store/database.ts';

/** Of one entry, what is not made here. */
export type AuditEvent = Omit<AuditEntry, 'seq' | 'timeMs' | 'mac'>;

const pageEntries = 500;
const defaultLimit = 100;
const noMac = new Uint8Array(32);

/**
 * Who did what, as a chain: each entry is sealed, and vouched for by a keyed hash that covers the one before. Who can write the
 * database, but has no key, can neither change an entry nor leave one out; only the end can be cut off, which a head that was
 * written down elsewhere tells (the service logs it).
 */
export class Audit {
  readonly #parts: { readonly store: Store; readonly keyring: Keyring; readonly now: () => number };

  /** How many entries could not be written since the start. */
  failures = 0;

  constructor(parts: { store: Store; keyring: Keyring; now: () => number }) {
    this.#parts = parts;
  }

  /** Durable when this resolves. @throws SpoonError `audit-unavailable`: what was to be done must then not be done */
  async record(event: AuditEvent): Promise<void> {
    const { store, keyring, now } = this.#parts;
    try {
      await store.transaction(async (trx) => {
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
          .values({ ...row, mac: await this.#macOf(row, last?.mac ?? noMac) })
          .execute();
      });
    } catch (cause) {
      this.failures++;
      throw new SpoonError('audit-unavailable', undefined, { cause });
    }
  }

  /** @throws SpoonError `integrity-failure` for an entry that cannot be read: verify tells which */
  async page({ after, limit = defaultLimit, fromMs, toMs, ...wanted }: AuditQuery): Promise<AuditPage> {
    const isUpwards = after !== undefined;
    const entries: AuditEntry[] = [];
    // Who and what is sealed: each entry is opened, and only those that are wanted are kept.
    const batch = Object.values(wanted).some((value) => value !== undefined) ? pageEntries : limit;
    for (let edge = after; ; ) {
      const rows = await this.#parts.store.db
        .selectFrom('audit')
        .selectAll()
        .$if(edge !== undefined, (query) => query.where('seq', isUpwards ? '>' : '<', edge ?? 0))
        .$if(fromMs !== undefined, (query) => query.where('time_ms', '>=', fromMs ?? 0))
        .$if(toMs !== undefined, (query) => query.where('time_ms', '<', toMs ?? 0))
        .orderBy('seq', isUpwards ? 'asc' : 'desc')
        .limit(batch)
        .execute();
      for (const row of rows) {
        const entry = await this.#open(row);
        edge = row.seq;
        if (isWanted(entry, wanted)) entries.push(entry);
        if (entries.length === limit)
          return isUpwards ? { entries, next: edge } : { entries: entries.reverse(), next: null };
      }
      if (rows.length < batch) return { entries: isUpwards ? entries : entries.reverse(), next: null };
      // A long search must not hold up the others.
      await setImmediate();
    }
  }

  /** @param known a head that was written down elsewhere */
  async verify(known?: AuditHead): Promise<AuditReport> {
    let last: { seq: number; mac: Uint8Array } = { seq: 0, mac: noMac };
    const report = (fault: AuditReport['fault']): AuditReport => ({
      entries: last.seq,
      head: last.seq === 0 ? null : { seq: last.seq, mac: hexOf(last.mac) },
      fault,
    });
    for (;;) {
      const rows = await this.#after(last.seq);
      if (rows.length === 0) break;
      for (const row of rows) {
        const fault = await this.#faultOf(row, last);
        if (fault !== undefined) return report({ seq: last.seq + 1, why: fault });
        last = { seq: row.seq, mac: row.mac };
        if (known?.seq === row.seq && known.mac !== hexOf(row.mac)) {
          return report({ seq: row.seq, why: 'It is another than the one that was written down.' });
        }
      }
    }
    if (known !== undefined && known.seq > last.seq) {
      return report({ seq: last.seq + 1, why: `The end is missing: there was an entry ${known.seq}.` });
    }
    return report(null);
  }

  /** The newest, to be written down elsewhere; undefined while there is none. */
  async head(): Promise<AuditHead | undefined> {
    const { db } = this.#parts.store;
    const row = await db.selectFrom('audit').select(['seq', 'mac']).orderBy('seq', 'desc').limit(1).executeTakeFirst();
    return row === undefined ? undefined : { seq: row.seq, mac: hexOf(row.mac) };
  }

  async #faultOf(row: AuditRow, last: { seq: number; mac: Uint8Array }): Promise<string | undefined> {
    if (row.seq !== last.seq + 1) return 'It is missing.';
    if (!Buffer.from(await this.#macOf(row, last.mac)).equals(row.mac)) return 'It, or the one before it, was changed.';
    try {
      await this.#open(row);
      return undefined;
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      return 'It cannot be read.';
    }
  }

  #after(seq: number): Promise<AuditRow[]> {
    const { db } = this.#parts.store;
    return db.selectFrom('audit').selectAll().where('seq', '>', seq).orderBy('seq').limit(pageEntries).execute();
  }

  #macOf({ seq, time_ms, entry_enc }: Omit<AuditRow, 'mac'>, before: Uint8Array): Promise<Uint8Array> {
    return this.#parts.keyring.mac(
      systemOwnerId,
      'audit',
      lengthPrefixed([before, String(seq), String(time_ms), entry_enc]),
    );
  }

  async #open(row: AuditRow): Promise<AuditEntry> {
    const bytes = await this.#parts.keyring.open(contextOf(row.seq), row.entry_enc);
    const event = JSON.parse(Buffer.from(bytes).toString('utf8')) as AuditEvent;
    return { seq: row.seq, timeMs: row.time_ms, ...event, mac: hexOf(row.mac) };
  }
}

function isWanted(entry: AuditEntry, wanted: Pick<AuditQuery, 'about' | 'event' | 'result'>): boolean {
  const { event, result } = entry;
  if (wanted.about !== undefined && !isAbout(entry, wanted.about)) return false;
  if (wanted.event !== undefined && event !== wanted.event && !event.startsWith(`${wanted.event}.`)) return false;
  return wanted.result === undefined || result === wanted.result;
}

function isAbout({ actor, object, details = {} }: AuditEntry, who: string): boolean {
  if (actor.username === who || object === who) return true;
  return Object.values(details).some((value) => typeof value === 'string' && value.split(' ').includes(who));
}

function contextOf(seq: number) {
  return { ownerId: systemOwnerId, kind: 'secret', objectId: 'audit', version: seq, mode: 0 } as const;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
