import type { BoxEnd } from './engine.ts';

/** What becomes of a box, for who writes it down. */
export type BoxHappening =
  | { readonly kind: 'started' }
  | { readonly kind: 'start-failed'; readonly error: unknown }
  /** By the service. `asked`: somebody wanted it, or the account is gone. */
  | { readonly kind: 'stopped'; readonly why: 'asked' | 'idle' | 'outdated' | 'unanswering' }
  /** By itself. */
  | { readonly kind: 'ended'; readonly reason: BoxEnd['reason']; readonly exitCode: number | null }
  /** The kernel ended a program in it; the box runs on. */
  | { readonly kind: 'out-of-memory' };
