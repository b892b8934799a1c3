import { Value } from 'typebox/value';
import { JobOutput, StartedJob, type StartJob } from '../../protocol/boxdJobs.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxJobBatchBytes, maxJobDiffBytes } from '../../protocol/limits.ts';
import type { BoxdCalls } from './boxdCall.ts';
import { framesOf } from './framesOf.ts';

/** A start looks at the whole checkout first. */
const startMs = 60_000;
const quickMs = 5_000;
/** More than boxd holds back an answer while nothing is printed. */
const outputMs = 20_000;
/** Bytes of one answer, and beside them what the job did, of which the paths may be long. */
const maxOutputBytes = 8 * 1024 * 1024;

/** What the service asks of boxd about agent jobs (`protocol/boxdJobs.ts`); errors as in {@link BoxdClient}. */
export class BoxdJobs {
  readonly #calls: BoxdCalls;

  constructor(calls: BoxdCalls) {
    this.#calls = calls;
  }

  /** @throws SpoonError `box-outdated` */
  async start(start: StartJob): Promise<StartedJob> {
    const body = Buffer.from(JSON.stringify(start));
    try {
      return await this.#calls.json(StartedJob, { method: 'POST', path: '/v1/jobs', body, timeoutMs: startMs });
    } catch (error) {
      // A boxd from before jobs has no such route.
      if (error instanceof SpoonError && error.code === 'not-found') throw new SpoonError('box-outdated');
      throw error;
    }
  }

  /** Output from an offset on, as soon as there is some, and what became of the job once it is over. @throws SpoonError `not-found` */
  async output(id: string, from: number): Promise<{ head: JobOutput; bytes: Buffer }> {
    const path = `/v1/jobs/${encodeURIComponent(id)}/output?from=${from}`;
    const { body } = await this.#calls.call({ method: 'GET', path, timeoutMs: outputMs, maxBytes: maxOutputBytes });
    const [head, bytes, more] = await framesOf(body, maxOutputBytes);
    const value = parse(head);
    if (!Value.Check(JobOutput, value) || bytes === undefined || more !== undefined) throw misbehaved();
    const cleaned = Value.Clean(JobOutput, value) as JobOutput;
    if (cleaned.from < from || cleaned.totalBytes < cleaned.from + bytes.length) throw misbehaved();
    if (bytes.length > maxJobBatchBytes) throw misbehaved();
    return { head: cleaned, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) };
  }

  async diff(id: string): Promise<Buffer> {
    const path = `/v1/jobs/${encodeURIComponent(id)}/diff`;
    return (await this.#calls.call({ method: 'GET', path, timeoutMs: startMs, maxBytes: maxJobDiffBytes })).body;
  }

  /** Begins to end it. @throws SpoonError `not-found` */
  async cancel(id: string): Promise<void> {
    const path = `/v1/jobs/${encodeURIComponent(id)}/cancel`;
    await this.#calls.call({ method: 'POST', path, body: Buffer.from('{}'), timeoutMs: quickMs });
  }

  async forget(id: string): Promise<void> {
    await this.#calls.call({ method: 'DELETE', path: `/v1/jobs/${encodeURIComponent(id)}`, timeoutMs: quickMs });
  }
}

function parse(head: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(head ?? []).toString('utf8'));
  } catch (cause) {
    throw misbehaved(cause);
  }
}

function misbehaved(cause?: unknown): SpoonError {
  return new SpoonError('box-misbehaved', 'What it says of a job has another form.', { cause });
}
