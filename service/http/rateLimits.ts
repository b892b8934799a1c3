import { SpoonError } from '../../protocol/errors.ts';

export interface BucketSettings {
  /** Refill, in requests per second. */
  readonly perSecond: number;
  /** What may come at once. */
  readonly burst: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Keys that are remembered; the least recently used goes first, and was then the fullest. */
  readonly maxKeys?: number;
}

/**
 * Token buckets by key. Not `@fastify/rate-limit`: that counts per fixed window, so it must either refuse the first upload of
 * 1,000 dotfiles or allow that rate for ever; a bucket takes the burst and holds the rate.
 */
export class TokenBuckets {
  readonly #settings: BucketSettings;
  readonly #buckets = new Map<string, { level: number; updatedMs: number }>();

  constructor(settings: BucketSettings) {
    this.#settings = settings;
  }

  /** @throws SpoonError `too-many-requests` with `retryAfterSeconds` */
  take(key: string): void {
    const { perSecond, burst, now, maxKeys = 10_000 } = this.#settings;
    const nowMs = now();
    const bucket = this.#buckets.get(key) ?? { level: burst, updatedMs: nowMs };
    bucket.level = Math.min(burst, bucket.level + ((nowMs - bucket.updatedMs) / 1000) * perSecond);
    bucket.updatedMs = nowMs;
    // A Map keeps the order of insertion: putting it back makes it the youngest.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= maxKeys) break;
      this.#buckets.delete(oldest);
    }
    if (bucket.level < 1) {
      const retryAfterSeconds = Math.max(1, Math.ceil((1 - bucket.level) / perSecond));
      throw new SpoonError('too-many-requests', undefined, { extra: { retryAfterSeconds } });
    }
    bucket.level -= 1;
  }
}

export interface RateLimits {
  /** Per token: all requests. */
  readonly requests: TokenBuckets;
  /** Per token: what starts something in a box. */
  readonly opens: TokenBuckets;
  /** Per address: refused tokens. A valid token is never held back by them, so nobody locks another out. */
  readonly refusedTokens: TokenBuckets;
  /** Per network: attempts to sign in. */
  readonly signIns: TokenBuckets;
  /** Per account and network: passwords that were tried. */
  readonly passwordsOfAccount: TokenBuckets;
}

/** Generous to a person with a folder of dotfiles and a script around `spoonctl exec`, not to a loop without end. */
export function createRateLimits(now: () => number = () => performance.now()): RateLimits {
  return {
    requests: new TokenBuckets({ perSecond: 200, burst: 2000, now }),
    opens: new TokenBuckets({ perSecond: 20, burst: 100, now }),
    refusedTokens: new TokenBuckets({ perSecond: 5, burst: 200, now }),
    signIns: new TokenBuckets({ perSecond: 5 / 60, burst: 30, now }),
    passwordsOfAccount: new TokenBuckets({ perSecond: 10 / 3600, burst: 10, now }),
  };
}
