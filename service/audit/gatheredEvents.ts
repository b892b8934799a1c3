import type { Audit } from './audit.ts';
import type { AuditEvent } from './chain.ts';

export interface GatheredEventsParts {
  readonly audit: Pick<Audit, 'record'>;
  readonly onError: (error: unknown) => void;
  readonly waitMs?: number;
  /** So many objects are named in one entry. */
  readonly maxNamed?: number;
}

interface Gathered {
  readonly event: AuditEvent;
  readonly objects: Set<string>;
}

/**
 * What happens often and is in order: a save after the other, by the same token. It is written down together, some seconds after the
 * first, so that neither a save waits for it nor the audit has one entry for each.
 */
export class GatheredEvents {
  readonly #parts: GatheredEventsParts;
  readonly #writing = new Set<Promise<void>>();
  #waiting = new Map<string, Gathered>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: GatheredEventsParts) {
    this.#parts = parts;
  }

  /** @param kind what goes into one entry */
  note(kind: string, event: AuditEvent, objects: readonly string[]): void {
    const gathered = this.#waiting.get(kind) ?? { event, objects: new Set() };
    for (const object of objects) gathered.objects.add(object);
    this.#waiting.set(kind, gathered);
    this.#timer ??= setTimeout(() => this.#write(), this.#parts.waitMs ?? 10_000).unref();
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    this.#write();
    await Promise.all(this.#writing);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { audit, onError, maxNamed = 50 } = this.#parts;
    const all = this.#waiting;
    this.#waiting = new Map();
    for (const { event, objects } of all.values()) {
      const details = { ...event.details, ids: [...objects].slice(0, maxNamed).join(' '), count: objects.size };
      const writing = audit
        .record({ ...event, requestId: null, details })
        .catch(onError)
        .finally(() => this.#writing.delete(writing));
      this.#writing.add(writing);
    }
  }
}
