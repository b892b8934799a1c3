import type { JobState } from '../../protocol/jobs.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import type { JobLog } from './jobLog.ts';
import type { WaitingJob } from './jobQueue.ts';
import type { StoredJob } from './jobRecords.ts';

/** One that waits or runs. */
export interface ActiveJob extends WaitingJob {
  stored: StoredJob;
  state: JobState;
  notes: string[];
  readonly log: JobLog;
  /** Fires when it is cancelled; of one that waits, `state` says so only once that is stored. */
  readonly cancel: AbortController;
  /** From the moment on that it may know of the job. */
  box: RunningBox | undefined;
  /** Resolves when it has ended; before its turn, at once. */
  work: Promise<void>;
}
