import { setTimeout as delay } from 'node:timers/promises';
import type { Static, TSchema } from 'typebox';
import { Check, Clean } from 'typebox/value';
import type { GitOperation, MakeCheckout } from '../../protocol/boxdGit.ts';
import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';
import { onOneLine } from '../../protocol/plainText.ts';
import type { CheckoutProgress } from '../../protocol/threads.ts';
import { randomBase62 } from '../../protocol/tokenFormat.ts';
import type { RunningBox } from '../boxes/boxes.ts';

/** What boxd is asked to do; `protocol/boxdGit.ts` says which result each kind has. */
export type GitRequest =
  | ({ readonly kind: 'make' } & MakeCheckout)
  | { readonly kind: 'update'; readonly folder: string; readonly timeoutMs: number }
  | { readonly kind: 'losses'; readonly folder: string }
  | { readonly kind: 'remove'; readonly folder: string; readonly confirm: string | undefined }
  | { readonly kind: 'branches'; readonly url: string; readonly timeoutMs: number };

export interface GitWatcher {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CheckoutProgress) => void) | undefined;
}

/** So that a box that has news at once, always, does not keep the service busy. */
const restMs = 20;

/** What a box may say of its checkouts, besides what any part of boxd may. */
const gitCodes = new Set<string>([
  'branch-missing',
  'branch-exists',
  'checkout-in-the-way',
  'checkout-dirty',
  'checkout-missing',
  'checkout-broken',
  'checkout-busy',
  'work-would-be-lost',
  'repository-unavailable',
  'repository-private',
  'repository-moved',
  'repository-refused',
  'git-timeout',
  'git-missing',
  'git-failed',
  'insufficient-storage',
  'home-not-writable',
  'home-untrusted',
  'path-through-symlink',
  'path-kind-conflict',
  'path-too-long',
  'request-invalid',
] satisfies ErrorCode[]);

/**
 * Begins something in the box and follows it to its end. When the signal fires it is cancelled, and nothing of it runs any
 * more when this rejects.
 * @throws SpoonError `box-outdated`, `box-…`, the codes above; the signal's reason
 */
export async function runGit<T extends TSchema>(
  box: RunningBox,
  request: GitRequest,
  result: T,
  { signal, onProgress }: GitWatcher = {},
): Promise<Static<T>> {
  signal?.throwIfAborted();
  const id = randomBase62(22, (count) => crypto.getRandomValues(new Uint8Array(count)));
  let state = await begin(box, { id, ...request });
  while (state.state === 'running') {
    onProgress?.(state.progress);
    if (signal?.aborted) {
      await box.boxd.git.cancel(id);
      signal.throwIfAborted();
    }
    state = await orAborted(box.boxd.git.operation(id, state.step), state, signal);
    if (state.state === 'running') await delay(restMs);
  }
  if (state.state === 'failed') throw failure(state);
  if (!Check(result, state.result)) throw new SpoonError('box-misbehaved', 'Its answer about git has another form.');
  return Clean(result, state.result) as Static<T>;
}

async function begin(box: RunningBox, start: Readonly<Record<string, unknown>>): Promise<GitOperation> {
  try {
    return await box.boxd.git.start(start);
  } catch (error) {
    // A boxd of protocol 1 has no such route.
    if (error instanceof SpoonError && error.code === 'not-found') throw new SpoonError('box-outdated');
    throw error;
  }
}

/** A cancel does not wait for the next word of the box. */
async function orAborted(next: Promise<GitOperation>, now: GitOperation, signal?: AbortSignal): Promise<GitOperation> {
  if (signal === undefined) return next;
  const { promise: aborted, resolve } = Promise.withResolvers<GitOperation>();
  const onAbort = () => resolve(now);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([next, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    next.catch(() => undefined);
  }
}

function failure({ code, detail, extra }: Extract<GitOperation, { state: 'failed' }>): SpoonError {
  if (!gitCodes.has(code)) return new SpoonError('box-misbehaved', 'Its answer about git makes no sense.');
  const { path } = extra;
  const plain = (text: string) => onOneLine(text).slice(0, 1024);
  return new SpoonError(code as ErrorCode, detail === undefined ? undefined : plain(detail), {
    extra: typeof path === 'string' ? { path: plain(path) } : {},
  });
}
