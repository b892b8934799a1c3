import { type Static, Type } from 'typebox';
import { JobChanges } from './jobs.ts';

/** A box may say anything; what becomes a number in the store must be one that it gives back. */
const offset = Type.Integer({ minimum: 0, maximum: 2 ** 50 });
/** ECMA-262, section 21.4.1.1. */
const maxTimeMs = 8.64e15;

/**
 * What the service says to boxd about agent jobs (as `boxd.ts`). A job runs on while the service is away; boxd keeps the end of
 * its output, and what became of it, until the service has taken that over (DELETE) or the box ends.
 *
 *   POST   /v1/jobs                      StartJob → StartedJob
 *   GET    /v1/jobs/{id}/output?from=n   two frames (overlayFrames.ts): JobOutput as JSON, bytes; waits a little for some
 *   GET    /v1/jobs/{id}/diff            the bytes that `changes.diffBytes` counts
 *   POST   /v1/jobs/{id}/cancel          begins to end it; `output` tells when it is over
 *   DELETE /v1/jobs/{id}                 forgets one that has ended
 */
export const StartJob = Type.Object({
  id: Type.String(),
  /** The agent's command (`agentCommand.ts`); boxd fills the placeholders in. */
  command: Type.Array(Type.String()),
  prompt: Type.String(),
  spoon: Type.String(),
  branch: Type.String(),
  /** Relative to the home. */
  cwd: Type.String(),
  timeLimitMs: Type.Integer(),
  environment: Type.Record(Type.String(), Type.String()),
  secretFiles: Type.Record(Type.String(), Type.String()),
});
export type StartJob = Static<typeof StartJob>;

export const StartedJob = Type.Object({ notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }) });
export type StartedJob = Static<typeof StartedJob>;

/** What became of one that is over. */
export const JobEnd = Type.Object({
  /** 128 plus its number where a signal ended it. */
  exitCode: Type.Integer({ minimum: 0, maximum: 255 }),
  signal: Type.Union([Type.String({ maxLength: 16 }), Type.Null()]),
  why: Type.Union([Type.Literal('by-itself'), Type.Literal('cancelled'), Type.Literal('time-limit')]),
  endedMs: Type.Integer({ minimum: 0, maximum: maxTimeMs }),
  changes: Type.Union([JobChanges, Type.Null()]),
  notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }),
});
export type JobEnd = Static<typeof JobEnd>;

export const JobOutput = Type.Object({
  /** Offset of the first byte that comes with this; later than asked for where boxd has no older ones any more. */
  from: offset,
  /** Of all output so far. */
  totalBytes: offset,
  end: Type.Union([JobEnd, Type.Null()]),
});
export type JobOutput = Static<typeof JobOutput>;
