import { setTimeout as delay } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';
import type { Boxes, BoxUser, RunningBox } from '../boxes/boxes.ts';

interface JobToFind {
  readonly id: string;
  readonly userId: string;
  readonly cancel: AbortController;
}

interface Around {
  readonly boxes: Pick<Boxes, 'ensure' | 'running' | 'endUnanswering'>;
  readonly findUser: (userId: string) => Promise<BoxUser>;
  /** Fires when the service stops. */
  readonly closing: AbortSignal;
}

/** A box may be a moment away from answering; then it is asked again. */
const retryMs = 250;
const engineRetryMs = 5_000;
/** A box that cannot be told is followed to the end of the job’s time at most. */
const tellMs = 30_000;

/** For when the engine did not answer at the start of the service: until it does, nobody knows whether the box runs. */
export async function findBox(
  { userId, cancel }: JobToFind,
  { boxes, findUser, closing }: Around,
): Promise<RunningBox | undefined> {
  const over = AbortSignal.any([closing, cancel.signal]);
  while (!over.aborted) {
    try {
      return await boxes.ensure(await findUser(userId), over);
    } catch (error) {
      if (over.aborted) break;
      if (!(error instanceof SpoonError)) throw error;
      await delay(engineRetryMs, undefined, { signal: over }).catch(() => undefined);
    }
  }
  return boxes.running(userId);
}

/**
 * A box that runs, and what was prepared in it. One whose daemon died a moment ago still looks as if it ran: it is replaced, and
 * asked once more.
 */
export async function prepareBox<T>(
  userId: string,
  { boxes, findUser, signal }: Omit<Around, 'closing'> & { readonly signal: AbortSignal },
  prepare: (box: RunningBox) => Promise<T>,
): Promise<{ box: RunningBox; prepared: T }> {
  const ensure = async () => boxes.ensure(await findUser(userId), signal);
  const box = await ensure();
  try {
    return { box, prepared: await box.pulse.whileAnswering(() => prepare(box)) };
  } catch (error) {
    if (!(error instanceof SpoonError && error.code === 'box-unavailable')) throw error;
    await boxes.endUnanswering(box);
    if (boxes.running(userId) === box) throw error;
  }
  const fresh = await ensure();
  return { box: fresh, prepared: await prepare(fresh) };
}

/** Resolves when the box has heard it, is gone, or has not answered for 30 s. */
export async function cancelInBox(
  { id, userId }: JobToFind,
  box: RunningBox,
  { boxes, closing }: Around,
): Promise<void> {
  const untilMs = performance.now() + tellMs;
  while (boxes.running(userId) === box && !closing.aborted && performance.now() < untilMs) {
    try {
      await box.boxd.jobs.cancel(id);
      return;
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      // Gone already, or not yet there: then who starts it cancels it.
      if (error.code === 'not-found') return;
      await delay(retryMs, undefined, { signal: closing }).catch(() => undefined);
    }
  }
}
