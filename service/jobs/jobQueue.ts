/** Whose turn it is: pure, so that it can be tried with any crowd. */

export interface WaitingJob {
  readonly id: string;
  readonly userId: string;
  /** What only one job at a time may work in. */
  readonly threadId: string;
}

export interface QueueState<T extends WaitingJob> {
  /** The oldest first. */
  readonly waiting: readonly T[];
  readonly running: readonly Pick<WaitingJob, 'userId' | 'threadId'>[];
  readonly maxRunning: number;
  /** When a job of each user was last started, by any clock that only goes up. */
  readonly lastStarted: ReadonlyMap<string, number>;
}

/**
 * The job to start now, if any. Of those whose checkout is free: of the user with the fewest running, then of the one who has waited
 * longest for a turn, then the oldest. So a user with a hundred jobs delays another by one at most.
 */
export function nextJob<T extends WaitingJob>({
  waiting,
  running,
  maxRunning,
  lastStarted,
}: QueueState<T>): T | undefined {
  if (running.length >= maxRunning) return undefined;
  const busy = new Set(running.map(({ threadId }) => threadId));
  const runningOf = (userId: string) => running.filter((job) => job.userId === userId).length;
  const startedOf = (userId: string) => lastStarted.get(userId) ?? Number.NEGATIVE_INFINITY;
  let best: T | undefined;
  for (const job of waiting) {
    if (busy.has(job.threadId)) continue;
    const isBetter =
      best === undefined ||
      runningOf(job.userId) < runningOf(best.userId) ||
      (runningOf(job.userId) === runningOf(best.userId) && startedOf(job.userId) < startedOf(best.userId));
    if (isBetter) best = job;
  }
  return best;
}
