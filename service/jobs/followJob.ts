import { setTimeout as delay } from 'node:timers/promises';
import type { JobEnd } from '../../protocol/boxdJobs.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxJobBatchBytes } from '../../protocol/limits.ts';
import type { Boxes, RunningBox } from '../boxes/boxes.ts';
import type { JobLog } from './jobLog.ts';

/** A box that does not answer now may do so in a moment: it still counts as running. */
const retryMs = 250;
/** So that a box that has an answer at once, always, does not keep the service busy. */
const restMs = 50;
/** A box ends a job by itself, and then looks at what it changed; this much later it is not waited for any more. */
const graceMs = 2 * 60_000;

export type Followed =
  | { readonly how: 'ended'; readonly end: JobEnd; readonly diff: Buffer }
  /** The box has ended, or knows nothing of the job: what ran there is gone. */
  | { readonly how: 'lost' }
  /** Its time was up, or it was cancelled, and its box has not said that it ended. */
  | { readonly how: 'overdue' }
  /** The service stops; the job runs on. */
  | { readonly how: 'left' };

interface Following {
  readonly box: RunningBox;
  readonly boxes: Pick<Boxes, 'running'>;
  readonly log: JobLog;
  readonly timeLeftMs: number;
  readonly cancelled: AbortSignal;
  /** Fires when the service stops. */
  readonly signal: AbortSignal;
}

/** Takes a job's output from its box until it is over. */
export async function followJob(
  id: string,
  { box, boxes, log, timeLeftMs, cancelled, signal }: Following,
): Promise<Followed> {
  const { jobs } = box.boxd;
  let untilMs = performance.now() + timeLeftMs + graceMs;
  let heardCancel = false;
  for (;;) {
    if (signal.aborted) return { how: 'left' };
    const nowMs = performance.now();
    if (cancelled.aborted && !heardCancel) untilMs = Math.min(untilMs, nowMs + graceMs);
    heardCancel = cancelled.aborted;
    if (nowMs > untilMs) {
      await log.flush();
      return { how: 'overdue' };
    }
    try {
      const { head, bytes } = await jobs.output(id, log.end);
      await log.append({ start: head.from, bytes });
      if (head.end !== null && log.end >= head.totalBytes) {
        await log.flush();
        const diff = head.end.changes === null ? Buffer.alloc(0) : await jobs.diff(id);
        return { how: 'ended', end: head.end, diff };
      }
      if (bytes.length < maxJobBatchBytes) await delay(restMs, undefined, { signal }).catch(() => undefined);
    } catch (error) {
      if (signal.aborted) return { how: 'left' };
      if (!(error instanceof SpoonError) || !isOfBox(error)) throw error;
      if (error.code === 'not-found' || boxes.running(box.user.userId) !== box) {
        await log.flush();
        return { how: 'lost' };
      }
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function isOfBox({ code }: SpoonError): boolean {
  return code === 'not-found' || code === 'box-unavailable';
}
