import type { Audit } from './audit.ts';
import type { AuditEvent } from './chain.ts';

export interface RepeatedEventsParts {
  readonly audit: Pick<Audit, 'record'>;
  readonly onError: (error: unknown) => void;
  readonly windowMs?: number;
  /** So many kinds are told apart in one window; what comes after them is counted together, by its event. */
  readonly maxKinds?: number;
  /** The same for one user, who so pushes nobody else's aside. */
  readonly maxKindsOfOne?: number;
  /** So many more of one user are written down one by one before they are counted. */
  readonly maxRepeatsOfOne?: number;
}

interface Seen {
  readonly event: AuditEvent;
  /** After what was written one by one. */
  more: number;
  readonly totals: Record<string, number>;
}

/**
 * What can be caused as often as somebody likes, without an account, by a user or by a program in a box: the first of a kind is
 * written down at once, the others as one entry with their number at the end of the hour. So nobody fills the disk with them.
 */
export class RepeatedEvents {
  readonly #parts: RepeatedEventsParts;
  readonly #timer: NodeJS.Timeout;
  readonly #writing = new Set<Promise<void>>();
  #seen = new Map<string, Seen>();
  #ofOnes = new Map<string, { kinds: number; repeats: number }>();

  constructor(parts: RepeatedEventsParts) {
    this.#parts = parts;
    const { windowMs = 60 * 60 * 1000 } = parts;
    this.#timer = setInterval(() => this.#endWindow(), windowMs).unref();
  }

  /** {@link record} beside what is done: nothing waits for it, and a failure is for the log. */
  note(kind: string, event: AuditEvent): void {
    this.#beside(this.record(kind, event));
  }

  /**
   * Resolves when it is durable, or counted.
   * @param kind what makes two the same
   * @param amounts more details; of those that are counted, their sums
   * @throws SpoonError `audit-unavailable`
   */
  async record(kind: string, event: AuditEvent, amounts: Readonly<Record<string, number>> = {}): Promise<void> {
    const { maxKinds = 100, maxKindsOfOne = 20, maxRepeatsOfOne = 0 } = this.#parts;
    const { userId, tokenId } = event.actor;
    const one = userId ?? tokenId;
    const ofOne = this.#ofOnes.get(one ?? '') ?? { kinds: 0, repeats: 0 };
    if (one !== null) this.#ofOnes.set(one, ofOne);

    const isRoom = this.#seen.size < maxKinds;
    const isRoomForOne = one === null || ofOne.kinds < maxKindsOfOne;
    if (!this.#seen.has(kind) && isRoom && isRoomForOne) {
      ofOne.kinds++;
      return this.#first(kind, event, amounts);
    }
    if (one !== null && ofOne.repeats < maxRepeatsOfOne) {
      ofOne.repeats++;
      return this.#write(withAmounts(event, amounts));
    }
    if (this.#seen.has(kind)) return this.#count(kind, amounts);
    const unnamed = { ...event, object: null, address: null, userAgent: null, requestId: null };
    const othersOfOne = `others ${event.event} of ${one}`;
    if (one !== null && (isRoom || this.#seen.has(othersOfOne))) {
      const actor = { ...event.actor, tokenId: userId === null ? tokenId : null };
      return this.#countOrFirst(othersOfOne, { ...unnamed, actor }, amounts);
    }
    const actor = { ...event.actor, userId: null, username: null, tokenId: null };
    return this.#countOrFirst(`others ${event.event}`, { ...unnamed, actor }, amounts);
  }

  /** Writes down what was counted, and resolves when all is written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#endWindow();
    await Promise.all(this.#writing);
  }

  #endWindow(): void {
    const ended = this.#seen;
    this.#seen = new Map();
    this.#ofOnes = new Map();
    for (const { event, more, totals } of ended.values()) {
      if (more > 0) this.#beside(this.#write(withAmounts({ ...event, requestId: null }, { ...totals, times: more })));
    }
  }

  async #countOrFirst(kind: string, event: AuditEvent, amounts: Readonly<Record<string, number>>): Promise<void> {
    if (this.#seen.has(kind)) this.#count(kind, amounts);
    else await this.#first(kind, event, amounts);
  }

  #first(kind: string, event: AuditEvent, amounts: Readonly<Record<string, number>>): Promise<void> {
    this.#seen.set(kind, { event, more: 0, totals: {} });
    return this.#write(withAmounts(event, amounts));
  }

  #count(kind: string, amounts: Readonly<Record<string, number>>): void {
    const seen = this.#seen.get(kind);
    if (seen === undefined) return;
    seen.more++;
    for (const [name, amount] of Object.entries(amounts)) seen.totals[name] = (seen.totals[name] ?? 0) + amount;
  }

  #write(event: AuditEvent): Promise<void> {
    return this.#parts.audit.record(event);
  }

  #beside(work: Promise<void>): void {
    const writing = work.catch(this.#parts.onError).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }
}

function withAmounts(event: AuditEvent, amounts: Readonly<Record<string, number>>): AuditEvent {
  if (Object.keys(amounts).length === 0) return event;
  return { ...event, details: { ...event.details, ...amounts } };
}
