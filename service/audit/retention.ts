import { setImmediate } from 'node:timers/promises';
import type { Store } from '../store/database.ts';
import { AuditChain, type AuditChainParts } from './chain.ts';
import { type Checkpoint, Checkpoints, removalEvent } from './checkpoints.ts';
import { beginning, type Link } from './link.ts';

export interface AuditRetentionParts extends AuditChainParts {
  readonly days: number;
  readonly onRemoved: (count: number) => void;
  readonly onError: (error: unknown) => void;
  /** Rows in one transaction: nobody waits longer than for these. */
  readonly batchRows?: number;
}

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
/** Of the audit, in one pass, and there is one a day: so much a clock that is wrong can cost until somebody looks. */
const weekMs = 7 * dayMs;
/** Past what is kept: then something was off for long, or the clock is wrong. */
const backlogMs = 2 * weekMs;

/**
 * Lets go of entries that are older than the audit keeps. What goes has been verified, is written down by an entry, and is
 * behind a checkpoint before the first of it is deleted: whatever ends this in between, the rest stays a chain.
 */
export class AuditRetention {
  readonly #parts: AuditRetentionParts;
  readonly #store: Store;
  readonly #chain: AuditChain;
  readonly #checkpoints: Checkpoints;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #problems: readonly string[] = [];

  constructor(parts: AuditRetentionParts) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#chain = new AuditChain(parts);
    this.#checkpoints = new Checkpoints(parts);
  }

  /** Looks now, and every hour whether the day is over. */
  start(): void {
    const look = () => {
      this.#running = this.#running.then(() => this.pass()).catch(this.#parts.onError);
    };
    this.#timer = setInterval(look, hourMs).unref();
    look();
  }

  /** In plain words; as found last. */
  problems(): readonly string[] {
    return this.#problems;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#running;
  }

  /** One after the other. Removes at most a week of entries, and nothing where the last pass that did was less than a day ago. */
  async pass(): Promise<void> {
    const { now, onRemoved } = this.#parts;
    const checkpoint = await this.#checkpoints.newest();
    if (checkpoint?.isGenuine === false) {
      this.#problems = [stays('what says which were removed was not written down by this service')];
      return;
    }
    if (checkpoint !== undefined && !(await this.#isThere(checkpoint.eventSeq))) {
      this.#problems = [stays(`entry ${checkpoint.eventSeq}, which says what was removed, is missing`)];
      return;
    }
    const start: Link = checkpoint ?? beginning;
    // What an earlier pass did not come to.
    await this.#sweep(start.seq);
    const nowMs = now();
    const isOver = checkpoint === undefined || nowMs < checkpoint.timeMs || nowMs - checkpoint.timeMs >= dayMs;
    const { end, backlogDays } = await this.#findEnd(start.seq, nowMs);
    this.#problems = backlogDays === 0 ? [] : [backlogText(backlogDays)];
    if (!isOver || end === undefined || this.#closing.signal.aborted) return;
    const found = await this.#verified(start, end);
    if (typeof found === 'string') {
      this.#problems = [stays(found)];
      return;
    }
    if (found === undefined) return;
    await this.#putCheckpoint(start, { ...found, timeMs: nowMs });
    onRemoved(found.seq - start.seq);
    await this.#sweep(found.seq);
  }

  async #isThere(seq: number): Promise<boolean> {
    const { db } = this.#store;
    return (await db.selectFrom('audit').select('seq').where('seq', '=', seq).executeTakeFirst()) !== undefined;
  }

  /**
   * The last that may go. The times of entries are from the clock as it was, `nowMs` from the clock as it is, and either may be
   * wrong: an entry from the future is no reason to keep those before it, and none to let it go either, unless one behind it is old.
   */
  async #findEnd(from: number, nowMs: number): Promise<{ end: number | undefined; backlogDays: number }> {
    const oldMs = nowMs - this.#parts.days * dayMs;
    let end: number | undefined;
    let limitMs: number | undefined;
    let backlogDays = 0;
    for (let seq = from; !this.#closing.signal.aborted; ) {
      const rows = await this.#store.db
        .selectFrom('audit')
        .select(['seq', 'time_ms'])
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(1000)
        .execute();
      for (const row of rows) {
        seq = row.seq;
        if (row.time_ms > nowMs) continue;
        if (limitMs === undefined) {
          limitMs = Math.min(oldMs, row.time_ms + weekMs);
          if (oldMs - row.time_ms > backlogMs) backlogDays = Math.floor((oldMs - row.time_ms) / dayMs);
        }
        if (row.time_ms >= limitMs) return { end, backlogDays };
        end = seq;
      }
      if (rows.length === 0) break;
      await setImmediate();
    }
    return { end, backlogDays };
  }

  /** Somebody who can write the database, but has no key, could make new entries look old: what goes is verified first. */
  async #verified(start: Link, end: number): Promise<Link | string | undefined> {
    let last = start;
    while (last.seq < end) {
      const rows = await this.#chain.after(last.seq);
      for (const row of rows) {
        const entry = await this.#chain.check(row, last);
        if (typeof entry === 'string') return `entry ${last.seq + 1} is not as it was written`;
        last = { seq: row.seq, mac: row.mac };
        if (last.seq === end) return last;
      }
      if (rows.length === 0 || this.#closing.signal.aborted) return undefined;
      await setImmediate();
    }
    return undefined;
  }

  async #putCheckpoint(start: Link, { seq, mac, timeMs }: Omit<Checkpoint, 'eventSeq'>): Promise<void> {
    const { days } = this.#parts;
    await this.#store.transaction(async (trx) => {
      const eventSeq = await this.#chain.append(trx, {
        ...{ event: removalEvent, result: 'done', code: null, object: null },
        actor: { kind: 'service', userId: null, username: null, tokenId: null },
        details: { from: start.seq + 1, to: seq, days },
        ...{ address: null, userAgent: null, requestId: null },
      });
      await this.#checkpoints.add(trx, { seq, mac, timeMs, eventSeq });
    });
  }

  /** Never beyond a checkpoint that is genuine: the trigger of the table holds it too. */
  async #sweep(to: number): Promise<void> {
    const { batchRows = 500 } = this.#parts;
    while (!this.#closing.signal.aborted) {
      const rows = await this.#store.db
        .selectFrom('audit')
        .select('seq')
        .where('seq', '<=', to)
        .orderBy('seq')
        .limit(batchRows)
        .execute();
      const last = rows.at(-1)?.seq;
      if (last === undefined) return;
      await this.#store.transaction((trx) => trx.deleteFrom('audit').where('seq', '<=', last).execute());
      await setImmediate();
    }
  }
}

function stays(why: string): string {
  return `Old entries of the audit stay: ${why}. Run spoonctl admin audit verify.`;
}

function backlogText(days: number): string {
  return (
    `The audit has entries that are ${days} days older than it keeps. Either this service was off for long or has been told to keep ` +
    'less, or the clock of this machine is wrong: a week of them is removed each day.'
  );
}
