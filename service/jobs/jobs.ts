import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { Job, JobDetails, RunJobRequest } from '../../protocol/jobs.ts';
import { maxJobPromptBytes } from '../../protocol/limits.ts';
import { InTurn } from '../boxes/inTurn.ts';
import type { JobRecords, StoredJob } from './jobRecords.ts';
import type { JobRunner } from './jobRunner.ts';
import { type Part, wholeLog } from './keptLog.ts';

export interface JobsParts {
  readonly records: JobRecords;
  readonly runner: JobRunner;
  /** By `{spoon}/{branch}`. @throws SpoonError `thread-unknown` */
  readonly findThread: (userId: string, name: string) => Promise<{ id: string; spoon: string; branch: string }>;
  /** `SPOON_AGENT_COMMAND`, in words. */
  readonly command: readonly string[];
  /** `SPOON_AGENT_JOB_TIMEOUT_MS`. */
  readonly timeLimitMs: number;
  readonly publish: (userId: string, event: SpoonEvent) => void;
}

/** Agent jobs as their user sees them: those that wait or run, and what is kept of those that have ended. */
export class Jobs {
  readonly #parts: JobsParts;
  /** One that is being made is in the store a moment before it is in the queue. */
  readonly #making = new InTurn();

  constructor(parts: JobsParts) {
    this.#parts = parts;
  }

  /** @throws SpoonError `thread-unknown`, `prompt-invalid`, `job-limit` */
  async run(userId: string, request: RunJobRequest, retryOf: string | null = null): Promise<Job> {
    const { records, runner, findThread, publish } = this.#parts;
    const prompt = checkPrompt(request.prompt);
    const { id: threadId, spoon, branch } = await findThread(userId, request.thread);
    const timeLimitMs = Math.min(request.timeLimitMs ?? this.#parts.timeLimitMs, this.#parts.timeLimitMs);
    const head = { threadId, spoon, branch, prompt, timeLimitMs, retryOf };
    return this.#making.run(userId, async () => {
      const { job, forgotten } = await records.create(userId, head);
      if (forgotten.length > 0) publish(userId, { type: 'job.removed', ids: forgotten });
      return runner.enqueue(job);
    });
  }

  /** As a job of its own. @throws SpoonError `not-found`, and as {@link run} */
  async retry(userId: string, id: string): Promise<Job> {
    const { spoon, branch, prompt, timeLimitMs } = await this.find(userId, id);
    return this.run(userId, { thread: `${spoon}/${branch}`, prompt, timeLimitMs }, id);
  }

  /** The newest first. */
  async list(userId: string, thread?: string): Promise<Job[]> {
    return (await this.stored(userId, thread)).map((stored) => this.#parts.runner.describe(stored));
  }

  /** As {@link list}, with their prompts. @param thread `{spoon}/{branch}`; default: all */
  async stored(userId: string, thread?: string): Promise<StoredJob[]> {
    const jobs = await this.#parts.records.list(userId);
    return thread === undefined ? jobs : jobs.filter(({ spoon, branch }) => `${spoon}/${branch}` === thread);
  }

  /** @throws SpoonError `not-found` */
  async read(userId: string, id: string): Promise<JobDetails> {
    const { runner, command } = this.#parts;
    const stored = await this.find(userId, id);
    return {
      job: runner.describe(stored),
      prompt: stored.prompt,
      command: [...command],
      changes: stored.end?.changes ?? null,
      notes: stored.end?.notes ?? runner.active(id)?.notes ?? [],
    };
  }

  /** Begins to end it; one that has ended stays as it is. @throws SpoonError `not-found` */
  async cancel(userId: string, id: string): Promise<Job> {
    const { runner } = this.#parts;
    const stored = await this.find(userId, id);
    const job = runner.active(id);
    if (job === undefined) return runner.describe(stored);
    await runner.cancel(job);
    return runner.describe(job.stored);
  }

  /** @throws SpoonError `not-found`, `job-unfinished` */
  async remove(userId: string, id: string): Promise<void> {
    await this.find(userId, id);
    const removed = await this.#parts.records.remove(userId, [id]);
    if (removed.length === 0) throw new SpoonError('job-unfinished', 'Cancel it first.');
    this.#parts.publish(userId, { type: 'job.removed', ids: removed });
  }

  /** All that have ended. @returns how many */
  async clear(userId: string): Promise<number> {
    const ids = await this.#parts.records.remove(userId);
    if (ids.length > 0) this.#parts.publish(userId, { type: 'job.removed', ids });
    return ids.length;
  }

  logParts(stored: StoredJob): AsyncGenerator<Part> {
    const { records, runner } = this.#parts;
    const log = runner.active(stored.id)?.log;
    if (log !== undefined) return wholeLog(log, log.end);
    return wholeLog({ read: (from) => records.logPart(stored, from) }, stored.outputBytes);
  }

  /** @throws SpoonError `not-found` */
  async diff(userId: string, id: string): Promise<Buffer> {
    return this.#parts.records.diff(await this.find(userId, id));
  }

  /** @throws SpoonError `not-found`, also for another user's */
  async find(userId: string, id: string): Promise<StoredJob> {
    const { records, runner } = this.#parts;
    if (runner.active(id) === undefined) await this.#making.run(userId, async () => undefined);
    const job = runner.active(id);
    if (job !== undefined && job.userId === userId) return job.stored;
    return records.byId(userId, id);
  }
}

/** @throws SpoonError `prompt-invalid` */
function checkPrompt(prompt: string): string {
  if (prompt.trim() === '') throw new SpoonError('prompt-invalid', 'It is empty.');
  if (prompt.includes('\0') || !prompt.isWellFormed()) {
    throw new SpoonError('prompt-invalid', 'It holds a NUL or is not valid text.');
  }
  if (Buffer.byteLength(prompt) > maxJobPromptBytes) {
    throw new SpoonError('prompt-invalid', `It is longer than ${maxJobPromptBytes / 1024} KiB. Put it into a file.`);
  }
  return prompt;
}
