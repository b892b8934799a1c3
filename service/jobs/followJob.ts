import { setTimeout as delay } from 'node:timers/promises';
import type { JobEnd } from '../../protocol/boxdJobs.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { Boxes, RunningBox } from '../boxes/boxes.ts';
import type { JobLog } from './jobLog.ts';

/** A box that does not answer now may do so in a moment: it still counts as running. */
const retryMs = 250;

export type Followed =
  | { readonly how: 'ended'; readonly end: JobEnd; readonly diff: Buffer }
  /** The box has ended, or knows nothing of the job: what ran there is gone. */
  | { readonly how: 'lost' }
  /** The service stops; the job runs on. */
  | { readonly how: 'left' };

/** Takes a job's output from its box until it is over. */
export async function followJob(
  id: string,
  { box, boxes, log, signal }: { box: RunningBox; boxes: Pick<Boxes, 'running'>; log: JobLog; signal: AbortSignal },
): Promise<Followed> {
  const { jobs } = box.boxd;
  for (;;) {
    if (signal.aborted) return { how: 'left' };
    try {
      const { head, bytes } = await jobs.output(id, log.end);
      await log.append({ start: head.from, bytes });
      if (head.end !== null && log.end >= head.totalBytes) {
        await log.flush();
        const diff = head.end.changes === null ? Buffer.alloc(0) : await jobs.diff(id);
        return { how: 'ended', end: head.end, diff };
      }
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
