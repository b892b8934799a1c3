import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { SpoonError } from '../../protocol/errors.ts';
import { ticketLifeMs } from '../../protocol/limits.ts';
import { formatToken, parseToken, randomBase62 } from '../../protocol/tokenFormat.ts';

/** What a ticket opens, and for whom. */
export interface TicketGrant {
  readonly kind: 'terminal' | 'command' | 'job' | 'share' | 'events' | 'files';
  /** The terminal, command, job or share; null for events and changes of files. */
  readonly id: string | null;
  readonly userId: string;
  /** The token that asked for it: when it is revoked, so is what it opened. */
  readonly tokenId: string;
}

const maxTicketsPerToken = 256;
/** Longer than any request takes, a start of a box with a whole overlay included: so long one may still ask for a ticket. */
const revokedKeptMs = 15 * 60 * 1000;

/**
 * One-use tickets for WebSockets (`security.md` decision 9): 30 s, in memory, as a hash. A restart voids them all and the
 * client asks again.
 */
export class Tickets {
  /** In the order of issue, and so of expiry. */
  readonly #open = new Map<string, { grant: TicketGrant; hash: Buffer; expiresMs: number }>();
  /** When each token was revoked, oldest first. */
  readonly #revoked = new Map<string, number>();
  readonly #now: () => number;

  /** @param now monotonic milliseconds: a clock that is set back must not make tickets live longer */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * @throws SpoonError `too-many-requests` when a token leaves too many unused; `unauthenticated` for one that was revoked
   * while its request waited, such as for a box
   */
  issue(grant: TicketGrant): { ticket: string; expiresInMs: number } {
    this.#dropExpired();
    if (this.#revoked.has(grant.tokenId)) throw new SpoonError('unauthenticated');
    let unused = 0;
    for (const ticket of this.#open.values()) if (ticket.grant.tokenId === grant.tokenId) unused++;
    if (unused >= maxTicketsPerToken) {
      throw new SpoonError('too-many-requests', 'Too many tickets are unused.', {
        extra: { retryAfterSeconds: ticketLifeMs / 1000 },
      });
    }
    const id = randomBase62(12, randomBytes);
    const secret = randomBase62(43, randomBytes);
    this.#open.set(id, { grant, hash: hashOf(secret), expiresMs: this.#now() + ticketLifeMs });
    return { ticket: formatToken({ kind: 't', id, secret }), expiresInMs: ticketLifeMs };
  }

  /**
   * Uses it up, also when it is shown at the wrong door. Nothing here waits, so of any number at once exactly one wins.
   * @throws SpoonError `ticket-invalid`
   */
  redeem(text: string, wanted: { kind: TicketGrant['kind']; id: string | null }): TicketGrant {
    const parts = parseToken(text);
    const found = parts?.kind === 't' ? this.#open.get(parts.id) : undefined;
    if (parts === undefined || found === undefined || !timingSafeEqual(hashOf(parts.secret), found.hash)) {
      throw new SpoonError('ticket-invalid');
    }
    this.#open.delete(parts.id);
    const { grant, expiresMs } = found;
    if (this.#now() >= expiresMs || grant.kind !== wanted.kind || grant.id !== wanted.id) {
      throw new SpoonError('ticket-invalid');
    }
    return grant;
  }

  /** For a token that was revoked; it gets no new ones either. */
  voidThoseOf(tokenId: string): void {
    this.#dropExpired();
    this.#revoked.set(tokenId, this.#now());
    for (const [id, { grant }] of this.#open) if (grant.tokenId === tokenId) this.#open.delete(id);
  }

  #dropExpired(): void {
    for (const [id, { expiresMs }] of this.#open) {
      if (expiresMs > this.#now()) break;
      this.#open.delete(id);
    }
    for (const [id, revokedMs] of this.#revoked) {
      if (revokedMs + revokedKeptMs > this.#now()) break;
      this.#revoked.delete(id);
    }
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
