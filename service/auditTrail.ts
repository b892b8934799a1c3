import type { AuditDetails } from '../protocol/audit.ts';
import { SpoonError } from '../protocol/errors.ts';
import type { Audit } from './audit/audit.ts';
import type { AuditEvent } from './audit/chain.ts';
import { GatheredEvents } from './audit/gatheredEvents.ts';
import { RepeatedEvents } from './audit/repeatedEvents.ts';

const service = { kind: 'service', userId: null, username: null, tokenId: null } as const;

export interface AuditTrailParts {
  readonly audit: Audit;
  /** For the log: an entry that could not be written where work goes on all the same. */
  readonly onError: (error: unknown) => void;
  readonly usernameOf: (userId: string) => Promise<string | null>;
  /** How long what is in order is gathered. */
  readonly gatherMs?: number;
}

/** Of who has no request: {@link AuditTrail.besideOf} looks up the name. */
type UserEvent = Pick<AuditEvent, 'event' | 'object' | 'details'> &
  Partial<AuditEvent> & { readonly tokenId?: string | null };

/** What is written down without a route that asks for it: what happens to boxes, secrets and what is stored, and who is turned away. */
export class AuditTrail {
  readonly audit: Audit;
  readonly onError: (error: unknown) => void;
  /** What anybody who reaches the service can cause. */
  readonly fromAnybody: RepeatedEvents;
  /** What people who are signed in, programs in boxes, and damage can cause: nobody without an account pushes it aside. */
  readonly fromWithin: RepeatedEvents;
  /** What a user does in order, and a program of theirs could do without end: a terminal looked at, a token used elsewhere. */
  readonly ofUsers: RepeatedEvents;
  /** What happens often and is in order. */
  readonly gathered: GatheredEvents;
  readonly #usernameOf: AuditTrailParts['usernameOf'];
  readonly #writing = new Set<Promise<void>>();

  constructor({ audit, onError, usernameOf, gatherMs }: AuditTrailParts) {
    this.audit = audit;
    this.#usernameOf = usernameOf;
    this.onError = onError;
    this.fromAnybody = new RepeatedEvents({ audit, onError });
    this.fromWithin = new RepeatedEvents({ audit, onError, maxKinds: 1_000 });
    const limits = { maxKinds: 10_000, maxKindsOfOne: 100, maxRepeatsOfOne: 100 };
    this.ofUsers = new RepeatedEvents({ audit, onError, ...limits });
    this.gathered = new GatheredEvents({ audit, onError, ...(gatherMs === undefined ? {} : { waitMs: gatherMs }) });
  }

  /** An account that does not open is known by its id: what it does is written down all the same. */
  async #nameOf(userId: string): Promise<string | null> {
    try {
      return await this.#usernameOf(userId);
    } catch (error) {
      if (!(error instanceof SpoonError) || error.code !== 'integrity-failure') throw error;
      this.damaged('account', userId);
      return null;
    }
  }

  /** Nothing waits for it. */
  beside(event: AuditEvent): void {
    this.#besideOthers(this.audit.record(event));
  }

  /** {@link beside}, of what somebody, or something of theirs, did. */
  besideOf(userId: string, done: UserEvent): void {
    this.#besideOthers(this.recordOf(userId, done));
  }

  /** Durable when this resolves. @throws SpoonError `audit-unavailable` */
  async recordOf(userId: string, done: UserEvent): Promise<void> {
    await this.audit.record(await this.#eventOf(userId, done));
  }

  /**
   * By the same token on the same object it is the same, and counted when it happens too often. Resolves when it is durable, or counted.
   * @param amounts more details, of which those that are counted have the sums
   * @throws SpoonError `audit-unavailable`
   */
  async recordLimitedOf(
    userId: string,
    done: UserEvent,
    amounts: Readonly<Record<string, number>> = {},
  ): Promise<void> {
    const kind = `${done.event} ${done.tokenId} ${done.object}`;
    await this.ofUsers.record(kind, await this.#eventOf(userId, done), amounts);
  }

  async #eventOf(userId: string, { tokenId = null, ...done }: UserEvent): Promise<AuditEvent> {
    const actor = { kind: 'user', userId, username: await this.#nameOf(userId), tokenId } as const;
    return { ...byService(done.event, done.object), actor, ...done };
  }

  /** {@link recordLimitedOf}, for which nothing waits. */
  besideLimitedOf(...done: Parameters<AuditTrail['recordLimitedOf']>): void {
    this.#besideOthers(this.recordLimitedOf(...done));
  }

  #besideOthers(work: Promise<void>): void {
    const writing = work.catch(this.onError).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  /** Something of a user does not open, and is shown as damaged. */
  damaged(what: string, userId: string): void {
    this.fromWithin.note(`damaged ${what} ${userId}`, {
      ...byService('integrity.failure', userId, { what }),
      ...{ result: 'refused', code: 'integrity-failure' },
    });
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    // The last ends of what was looked at are counted too.
    await Promise.all(this.#writing);
    await Promise.all([this.fromAnybody, this.fromWithin, this.ofUsers, this.gathered].map((each) => each.close()));
  }
}

/** Something that the service does by itself, or sees. */
export function byService(event: string, object: string | null, details: AuditDetails = {}): AuditEvent {
  const from = { address: null, userAgent: null, requestId: null };
  const more = Object.keys(details).length === 0 ? {} : { details };
  return { event, result: 'done', code: null, actor: service, object, ...more, ...from };
}
