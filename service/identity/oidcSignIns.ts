import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { SpoonError } from '../../protocol/errors.ts';
import { oidcSignInLifeMs } from '../../protocol/limits.ts';
import type { OidcChecks } from './oidcProvider.ts';
import type { SignInRequest } from './signIns.ts';

/** What a browser that is with the provider meanwhile wants in the end. */
export type OidcPurpose =
  | { readonly kind: 'program'; readonly request: SignInRequest }
  | { readonly kind: 'device'; readonly userCode: string }
  | { readonly kind: 'invite'; readonly invite: string };

interface UnderWay {
  readonly purpose: OidcPurpose;
  readonly checks: OidcChecks;
  /** Of the value that the browser keeps meanwhile. */
  readonly browser: Buffer;
  readonly expiresMs: number;
}

const maxUnderWay = 1_000;

/**
 * Sign-ins that are with the provider, by their state; in memory, as those in `signIns.ts`. Each belongs to one browser by a
 * cookie: an address to come back to that somebody else was given would otherwise sign in whoever opens it.
 */
export class OidcSignIns {
  readonly #underWay = new Map<string, UnderWay>();
  readonly #now: () => number;

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns what the browser is to keep */
  keep(wanted: Pick<UnderWay, 'purpose' | 'checks'>): string {
    this.#dropExpired();
    for (const oldest of this.#underWay.keys()) {
      if (this.#underWay.size < maxUnderWay) break;
      this.#underWay.delete(oldest);
    }
    const kept = randomBytes(32).toString('base64url');
    this.#underWay.set(keyOf(wanted.checks.state), {
      ...wanted,
      browser: hashOf(kept),
      expiresMs: this.#now() + oidcSignInLifeMs,
    });
    return kept;
  }

  /**
   * Uses it up, also when it is another browser.
   * @param kept what the browser gave back
   * @throws SpoonError `sign-in-code-invalid`
   */
  take(state: string, kept: string): Pick<UnderWay, 'purpose' | 'checks'> {
    this.#dropExpired();
    const key = keyOf(state);
    const found = this.#underWay.get(key);
    this.#underWay.delete(key);
    if (found === undefined || !timingSafeEqual(found.browser, hashOf(kept))) {
      throw new SpoonError('sign-in-code-invalid', 'It was begun in another browser, or too long ago.');
    }
    return found;
  }

  #dropExpired(): void {
    const nowMs = this.#now();
    for (const [key, { expiresMs }] of this.#underWay) if (expiresMs <= nowMs) this.#underWay.delete(key);
  }
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function keyOf(state: string): string {
  return hashOf(state).toString('base64');
}
