import { SpoonError } from '../../protocol/errors.ts';

/** For a start of the box and a checkout of a large repository. */
const startMs = 15 * 60_000;

/** Fires when the job is cancelled, and when its box takes so long to get ready that others should have their turn. */
export function startLimit(cancel: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort(new SpoonError('box-unavailable', 'The thread was not ready for the job within 15 minutes.'));
  }, startMs);
  return { signal: AbortSignal.any([cancel, late.signal]), [Symbol.dispose]: () => clearTimeout(timer) };
}
