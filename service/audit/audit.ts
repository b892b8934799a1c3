import { setImmediate } from 'node:timers/promises';
import type { AuditEntry, AuditHead, AuditPage, AuditQuery, AuditReport } from '../../protocol/audit.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { AuditChain, type AuditChainParts, type AuditEvent, hexOf } from './chain.ts';
import { type Checkpoint, Checkpoints, removalEvent } from './checkpoints.ts';
import { beginning, type Link } from './link.ts';

const pageEntries = 500;
const defaultLimit = 100;

/**
 * Who did what, as a chain: each entry is sealed, and vouched for by a keyed hash that covers the one before. Who can write the
 * database, but has no key, can neither change an entry nor leave one out; only the end can be cut off, which a head that was
 * written down elsewhere tells (the service logs it). Old entries go (`retention.ts`), up to a checkpoint that is keyed too.
 */
export class Audit {
  readonly #parts: AuditChainParts;
  readonly #chain: AuditChain;
  readonly #checkpoints: Checkpoints;

  /** How many entries could not be written since the start. */
  failures = 0;

  constructor(parts: AuditChainParts) {
    this.#parts = parts;
    this.#chain = new AuditChain(parts);
    this.#checkpoints = new Checkpoints(parts);
  }

  /** Durable when this resolves. @throws SpoonError `audit-unavailable`: what was to be done must then not be done */
  async record(event: AuditEvent): Promise<void> {
    try {
      await this.#parts.store.transaction((trx) => this.#chain.append(trx, event));
    } catch (cause) {
      this.failures++;
      throw new SpoonError('audit-unavailable', undefined, { cause });
    }
  }

  /** @throws SpoonError `integrity-failure` for an entry that cannot be read: verify tells which */
  async page({ after, limit = defaultLimit, fromMs, toMs, ...wanted }: AuditQuery): Promise<AuditPage> {
    const isUpwards = after !== undefined;
    const entries: AuditEntry[] = [];
    const checkpoint = await this.#checkpoints.newest();
    const removedTo = checkpoint?.isGenuine === true ? checkpoint.seq : 0;
    // Who and what is sealed: each entry is opened, and only those that are wanted are kept.
    const batch = Object.values(wanted).some((value) => value !== undefined) ? pageEntries : limit;
    for (let edge = after; ; ) {
      const rows = await this.#parts.store.db
        .selectFrom('audit')
        .selectAll()
        // Behind it are those that a service which ended meanwhile has not come to deleting.
        .where('seq', '>', removedTo)
        .$if(edge !== undefined, (query) => query.where('seq', isUpwards ? '>' : '<', edge ?? 0))
        .$if(fromMs !== undefined, (query) => query.where('time_ms', '>=', fromMs ?? 0))
        .$if(toMs !== undefined, (query) => query.where('time_ms', '<', toMs ?? 0))
        .orderBy('seq', isUpwards ? 'asc' : 'desc')
        .limit(batch)
        .execute();
      for (const row of rows) {
        const entry = await this.#chain.open(row);
        edge = row.seq;
        if (isWanted(entry, wanted)) entries.push(entry);
        if (entries.length === limit)
          return { removedTo, ...(isUpwards ? { entries, next: edge } : { entries: entries.reverse(), next: null }) };
      }
      if (rows.length < batch) return { removedTo, entries: isUpwards ? entries : entries.reverse(), next: null };
      // A long search must not hold up the others.
      await setImmediate();
    }
  }

  /** @param known a head that was written down elsewhere */
  async verify(known?: AuditHead): Promise<AuditReport> {
    for (;;) {
      const checkpoint = await this.#checkpoints.newest();
      const report = await this.#verifyFrom(checkpoint, known);
      // While it was read, more may have been let go of.
      if ((await this.#checkpoints.newest())?.seq === checkpoint?.seq) return report;
    }
  }

  async #verifyFrom(
    checkpoint: (Checkpoint & { readonly isGenuine: boolean }) | undefined,
    known: AuditHead | undefined,
  ): Promise<AuditReport> {
    const start: Link = checkpoint ?? beginning;
    let last = start;
    const report = (fault: AuditReport['fault']): AuditReport => ({
      entries: last.seq - start.seq,
      head: last.seq === 0 ? null : { seq: last.seq, mac: hexOf(last.mac) },
      removed: checkpoint === undefined ? null : { to: checkpoint.seq, timeMs: checkpoint.timeMs },
      fault,
    });
    if (checkpoint?.isGenuine === false) {
      return report({ seq: start.seq, why: 'That all up to it were removed was not written down by this service.' });
    }
    const isOther = ({ seq, mac }: Link) => known?.seq === seq && known.mac !== hexOf(mac);
    const other = 'It is another than the one that was written down.';
    if (isOther(start)) return report({ seq: start.seq, why: other });
    for (;;) {
      const rows = await this.#chain.after(last.seq);
      if (rows.length === 0) break;
      await setImmediate();
      for (const row of rows) {
        const entry = await this.#chain.check(row, last);
        if (typeof entry === 'string') return report({ seq: last.seq + 1, why: entry });
        last = { seq: row.seq, mac: row.mac };
        if (isOther(row)) return report({ seq: row.seq, why: other });
        const to = removedBy(entry);
        if (to > start.seq) {
          return report({
            seq: row.seq,
            why: `It says that all up to ${to} were removed; what begins the audit is older.`,
          });
        }
        if (row.seq === checkpoint?.eventSeq && to !== start.seq) {
          return report({
            seq: row.seq,
            why: 'It was written after the end was cut off: what was removed is not in it.',
          });
        }
      }
    }
    const newest = Math.max(known?.seq ?? 0, checkpoint?.eventSeq ?? 0);
    if (newest > last.seq) {
      return report({ seq: last.seq + 1, why: `The end is missing: there was an entry ${newest}.` });
    }
    return report(null);
  }

  /** The newest that is durable, to be written down elsewhere; undefined while there is none. */
  async head(): Promise<AuditHead | undefined> {
    // A reader sees what a loss of power may yet take; what a transaction has seen is on the disk when it resolves.
    const row = await this.#parts.store.transaction((trx) =>
      trx.selectFrom('audit').select(['seq', 'mac']).orderBy('seq', 'desc').limit(1).executeTakeFirst(),
    );
    return row === undefined ? undefined : { seq: row.seq, mac: hexOf(row.mac) };
  }
}

/** Up to which entry this one says that they were removed; 0: it is about something else. */
function removedBy({ event, details = {} }: AuditEntry): number {
  return event === removalEvent ? Number(details.to ?? 0) : 0;
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
