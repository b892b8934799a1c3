import type { Audit } from './audit.ts';
import type { AuditEvent } from './chain.ts';

export interface RepeatedEventsParts {
  readonly audit: Pick<Audit, 'record'>;
  readonly onError: (error: unknown) => void;
  readonly windowMs?: number;
  /** So many kinds are told apart in one window; what comes after them is counted together, by its event. */
  readonly maxKinds?: number;
}

interface Seen {
  readonly event: AuditEvent;
  /** After the first. */
  more: number;
}

/**
 * What can be caused as often as somebody likes, without an account or by a program in a box: the first of a kind is written
 * down at once, the others as one entry with their number at the end of the hour. So nobody fills the disk with them.
 */
export class RepeatedEvents {
  readonly #parts: RepeatedEventsParts;
  readonly #timer: NodeJS.Timeout;
  readonly #writing = new Set<Promise<void>>();
  #seen = new Map<string, Seen>();

  constructor(parts: RepeatedEventsParts) {
    this.#parts = parts;
    const { windowMs = 60 * 60 * 1000 } = parts;
    this.#timer = setInterval(() => this.#endWindow(), windowMs).unref();
  }

  /** Written beside what is done: nothing waits for it, and a failure is for the log. @param kind what makes two the same */
  note(kind: string, event: AuditEvent): void {
    const { maxKinds = 100 } = this.#parts;
    const isKnown = this.#seen.has(kind) || this.#seen.size < maxKinds;
    const key = isKnown ? kind : `others ${event.event}`;
    const seen = this.#seen.get(key);
    if (seen !== undefined) {
      seen.more++;
      return;
    }
    const noted = isKnown ? event : { ...event, object: null, address: null, userAgent: null, requestId: null };
    this.#seen.set(key, { event: noted, more: 0 });
    this.#write(noted);
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
    for (const { event, more } of ended.values()) {
      if (more > 0) this.#write({ ...event, requestId: null, details: { ...event.details, times: more } });
    }
  }

  #write(event: AuditEvent): void {
    const { audit, onError } = this.#parts;
    const writing = audit
      .record(event)
      .catch(onError)
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }
}
