import type { JobEnd } from '../../protocol/boxdJobs.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import { type EndedJobState, isEndedJobState, type Job, type JobState } from '../../protocol/jobs.ts';
import { onOneLine } from '../../protocol/plainText.ts';
import type { Boxes, BoxUser, RunningBox } from '../boxes/boxes.ts';
import type { ActiveJob } from './activeJob.ts';
import { cancelInBox, findBox, prepareBox } from './boxOfJob.ts';
import { followJob } from './followJob.ts';
import { JobLog } from './jobLog.ts';
import { nextJob } from './jobQueue.ts';
import type { JobRecords, StoredEnd, StoredJob } from './jobRecords.ts';
import { describeJob, endOf, overdue, plainChanges } from './jobWords.ts';
import { startLimit } from './startLimit.ts';

export interface JobRunnerParts {
  readonly records: JobRecords;
  readonly boxes: Pick<Boxes, 'ensure' | 'running' | 'describe' | 'endUnanswering'>;
  /** @throws SpoonError `not-found` */
  readonly findUser: (userId: string) => Promise<BoxUser>;
  /** The thread's folder, checked out where it is missing. @throws SpoonError `thread-unknown`, and what a checkout can meet */
  readonly folderFor: (box: RunningBox, thread: string, signal: AbortSignal) => Promise<string>;
  /** Secrets of scope `jobs`. @throws SpoonError `audit-unavailable` */
  readonly secretsFor: (
    userId: string,
    spoon: string,
    jobId: string,
  ) => Promise<{
    readonly environment: Record<string, string>;
    readonly secretFiles: Record<string, string>;
    readonly notes: readonly string[];
  }>;
  /** `SPOON_AGENT_COMMAND`, in words. */
  readonly command: readonly string[];
  readonly maxConcurrent: number;
  readonly publish: (userId: string, event: SpoonEvent) => void;
  readonly onError: (error: unknown, userId: string) => void;
}

interface Ending {
  readonly state: EndedJobState;
  readonly detail: string | null;
  readonly end?: JobEnd;
  readonly diff?: Buffer;
}

/**
 * Jobs that have not ended, of all users: started when it is their turn, followed to their end. What ran when the service ended is
 * found again: the store knows which, the box what became of it.
 */
export class JobRunner {
  readonly #parts: JobRunnerParts;
  /** In the order in which they came. */
  readonly #active = new Map<string, ActiveJob>();
  readonly #lastStarted = new Map<string, number>();
  readonly #closing = new AbortController();
  readonly #work = new Set<Promise<void>>();
  #starts = 0;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  /**
   * Takes up what an earlier service left: what waited waits on, what ran is followed.
   * @param boxesKnown whether all boxes that run were found; if not, one that is not there may come yet
   */
  async resume(boxesKnown: Promise<boolean>): Promise<void> {
    for (const stored of await this.#parts.records.unfinished()) {
      const job = this.#add(stored);
      if (stored.state === 'running') this.#carry(job, () => this.#takeUp(job, boxesKnown));
    }
    this.#schedule();
  }

  /** Takes a new one into the queue; it may start at once. */
  enqueue(stored: StoredJob): Job {
    const job = this.#add(stored);
    this.#schedule();
    this.#tell(job);
    return this.#describe(job);
  }

  active(id: string): ActiveJob | undefined {
    return this.#active.get(id);
  }

  all(): ActiveJob[] {
    return [...this.#active.values()];
  }

  counts(): { queued: number; running: number } {
    const queued = this.all().filter(({ state }) => state === 'queued').length;
    return { queued, running: this.#active.size - queued };
  }

  isAtWorkIn(threadId: string): boolean {
    return this.all().some((job) => job.threadId === threadId && job.state !== 'queued');
  }

  /** As its user sees it now. */
  describe(stored: StoredJob): Job {
    const job = this.#active.get(stored.id);
    return job === undefined ? describeJob(stored, undefined) : this.#describe(job);
  }

  /** Begins to end it. Resolves at once, but for one that waits, which has ended then. */
  async cancel(job: ActiveJob): Promise<void> {
    if (job.cancel.signal.aborted) return;
    job.cancel.abort(new SpoonError('job-ended', 'It was cancelled.'));
    if (job.state === 'queued') {
      await this.#end(job, { state: 'cancelled', detail: 'It was cancelled before its turn came.' });
      return;
    }
    this.#become(job, 'cancelling');
    if (job.box !== undefined) this.#track(job, cancelInBox(job, job.box, this.#around));
  }

  /** Cancels all of a user. @returns what resolves when they have ended, for which their box must end first or answer */
  async cancelAllOf(userId: string): Promise<() => Promise<void>> {
    const own = this.all().filter((job) => job.userId === userId);
    // The last ones first: none of them gets the turn of another.
    for (const job of own.toReversed()) await this.cancel(job);
    return async () => {
      await Promise.all(own.map(({ work }) => work));
    };
  }

  /** Lets go of all; what runs in boxes runs on. To be called before the boxes are let go of. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const job of this.#active.values()) if (job.box === undefined) job.cancel.abort(this.#closing.signal.reason);
    await Promise.all(this.#work);
    await Promise.all([...this.#active.values()].map(({ log }) => log.flush()));
  }

  #add(stored: StoredJob): ActiveJob {
    const { id, userId, threadId, state } = stored;
    const log = new JobLog(this.#parts.records, stored, (error) => this.#parts.onError(error, userId));
    const fields = {
      id,
      userId,
      threadId,
      stored,
      state,
      notes: [],
      log,
      cancel: new AbortController(),
      box: undefined,
    };
    const job: ActiveJob = { ...fields, work: Promise.resolve() };
    this.#active.set(id, job);
    return job;
  }

  #schedule(): void {
    while (!this.#closing.signal.aborted) {
      const all = this.all();
      const job = nextJob({
        waiting: all.filter(({ state, cancel }) => state === 'queued' && !cancel.signal.aborted),
        running: all.filter(({ state }) => state !== 'queued'),
        maxRunning: this.#parts.maxConcurrent,
        lastStarted: this.#lastStarted,
      });
      if (job === undefined) return;
      this.#lastStarted.set(job.userId, ++this.#starts);
      this.#become(job, 'starting');
      this.#carry(job, async () => this.#follow(job, await this.#start(job)));
    }
  }

  #track(job: ActiveJob, work: Promise<void>): Promise<void> {
    const tracked = work
      .catch((error: unknown) => this.#parts.onError(error, job.userId))
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
    return tracked;
  }

  /** Through to its end. @param work nothing when the service stops first: then it is found again as it is stored */
  #carry(job: ActiveJob, work: () => Promise<Ending | undefined>): void {
    job.work = this.#track(job, this.#toTheEnd(job, work));
  }

  async #toTheEnd(job: ActiveJob, work: () => Promise<Ending | undefined>): Promise<void> {
    let ending: Ending | undefined;
    try {
      ending = await work();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (!(error instanceof SpoonError)) this.#parts.onError(error, job.userId);
      // Whatever the box was asked for must not go on unseen.
      if (job.box !== undefined) await cancelInBox(job, job.box, this.#around);
      const detail = error instanceof SpoonError ? onOneLine(error.message) : 'Something in the service went wrong.';
      ending = job.cancel.signal.aborted ? { state: 'cancelled', detail: null } : { state: 'failed', detail };
    }
    if (ending === undefined) return;
    await this.#end(job, ending);
    const { id, userId, box } = job;
    if (ending.end !== undefined) {
      await box?.boxd.jobs.forget(id).catch((error: unknown) => this.#parts.onError(error, userId));
    }
  }

  async #start(job: ActiveJob): Promise<RunningBox> {
    const { records, folderFor, secretsFor, command } = this.#parts;
    const { id, userId, cancel, stored } = job;
    const { spoon, branch, prompt, timeLimitMs } = stored;
    using limit = startLimit(cancel.signal);
    const around = { ...this.#around, signal: limit.signal };
    const { box, prepared: cwd } = await prepareBox(userId, around, (current) =>
      folderFor(current, `${spoon}/${branch}`, limit.signal),
    );
    const { environment, secretFiles, notes } = await secretsFor(userId, spoon, id);
    cancel.signal.throwIfAborted();
    const startedMs = Date.now();
    // Before the box is asked: a service that ends in between looks for it there, and does not start it twice.
    await records.markRunning(id, startedMs);
    job.stored = { ...stored, state: 'running', startedMs };
    job.box = box;
    const start = { id, command: [...command], prompt, spoon, branch, cwd, timeLimitMs, environment, secretFiles };
    const started = await box.boxd.jobs.start(start);
    job.notes = [...notes, ...started.notes.map(onOneLine)];
    if (cancel.signal.aborted) await cancelInBox(job, box, this.#around);
    else this.#become(job, 'running');
    return box;
  }

  async #follow(job: ActiveJob, box: RunningBox): Promise<Ending | undefined> {
    const { boxes, command } = this.#parts;
    const { timeLimitMs, startedMs } = job.stored;
    const timeLeftMs = Math.max(0, timeLimitMs - (Date.now() - (startedMs ?? Date.now())));
    const [cancelled, signal] = [job.cancel.signal, this.#closing.signal];
    const followed = await followJob(job.id, { box, boxes, log: job.log, timeLeftMs, cancelled, signal });
    if (followed.how === 'left') return undefined;
    if (followed.how === 'lost') return this.#lost(job);
    if (followed.how === 'overdue') return overdue(cancelled.aborted);
    const { end, diff } = followed;
    return { ...endOf(end, { program: command[0] ?? '', timeLimitMs }), end, diff };
  }

  async #lost(job: ActiveJob): Promise<Ending> {
    if (job.cancel.signal.aborted) return { state: 'cancelled', detail: 'Its box ended.' };
    const { detail } = await this.#parts.boxes.describe(await this.#parts.findUser(job.userId));
    return { state: 'lost', detail: `The box ended while it ran.${detail === undefined ? '' : ` ${detail}`}` };
  }

  /** What ran when an earlier service ended. */
  async #takeUp(job: ActiveJob, boxesKnown: Promise<boolean>): Promise<Ending | undefined> {
    const isKnown = await Promise.race([boxesKnown, fired(this.#closing.signal)]);
    if (this.#closing.signal.aborted) return undefined;
    job.box = isKnown ? this.#parts.boxes.running(job.userId) : await findBox(job, this.#around);
    if (this.#closing.signal.aborted) return undefined;
    return job.box === undefined ? this.#lost(job) : this.#follow(job, job.box);
  }

  async #end(job: ActiveJob, { state, detail, end, diff }: Ending): Promise<void> {
    const endedMs = end?.endedMs ?? Date.now();
    const notes = [...job.notes, ...(end?.notes.map(onOneLine) ?? [])];
    const stored: StoredEnd = { detail, exitCode: end?.exitCode ?? null, changes: plainChanges(end), notes };
    try {
      await job.log.flush();
      await this.#parts.records.markEnded(job.stored, { state, endedMs, end: stored, diff: diff ?? Buffer.alloc(0) });
    } finally {
      // A store that cannot take it must not hold up the others; the next start of the service finds it again.
      job.stored = { ...job.stored, state, endedMs, end: stored, outputBytes: job.log.end };
      job.state = state;
      this.#active.delete(job.id);
      this.#schedule();
      this.#tell(job);
      for (const waiting of this.#active.values()) if (waiting.state === 'queued') this.#tell(waiting);
    }
  }

  #become(job: ActiveJob, state: JobState): void {
    job.state = state;
    this.#tell(job);
  }

  #tell(job: ActiveJob): void {
    job.log.wake();
    this.#parts.publish(job.userId, { type: 'job.changed', job: this.#describe(job) });
  }

  get #around() {
    const { boxes, findUser } = this.#parts;
    return { boxes, findUser, closing: this.#closing.signal };
  }

  #describe(job: ActiveJob): Job {
    const { state, stored, log } = job;
    if (isEndedJobState(state)) return describeJob(stored, undefined);
    const waiting = this.all().filter((other) => other.state === 'queued');
    return describeJob(stored, {
      state,
      ahead: state === 'queued' ? waiting.indexOf(job) : null,
      outputBytes: log.end,
    });
  }
}

function fired(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
