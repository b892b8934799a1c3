import { type Static, Type } from 'typebox';
import { maxJobPromptBytes, maxJobTimeLimitMs, minJobTimeLimitMs } from './limits.ts';

const closed = { additionalProperties: false } as const;
const count = Type.Integer({ minimum: 0 });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()]);

/**
 * `queued` waits for its turn; `starting`: its box starts, or its folder is checked out; `cancelling`: what it started is being
 * ended. The others are ends: `lost` says that the box ended while it ran, `detail` why.
 */
export const JobState = Type.Union([
  Type.Literal('queued'),
  Type.Literal('starting'),
  Type.Literal('running'),
  Type.Literal('cancelling'),
  Type.Literal('succeeded'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
  Type.Literal('timed-out'),
  Type.Literal('lost'),
]);
export type JobState = Static<typeof JobState>;

/** How a job can have ended. */
export type EndedJobState = 'succeeded' | 'failed' | 'cancelled' | 'timed-out' | 'lost';

export function isEndedJobState(state: JobState): state is EndedJobState {
  return state !== 'queued' && state !== 'starting' && state !== 'running' && state !== 'cancelling';
}

/** An agent run in a thread, without its prompt and the names of what it changed: for lists and events. */
export const Job = Type.Object({
  id: Type.String(),
  /** `{spoon}/{branch}`; the thread may be gone by now. */
  thread: Type.String(),
  /** The first line of the prompt, cut. */
  title: Type.String(),
  state: JobState,
  /** Why it is in this state, for a person; null where there is nothing to say. */
  detail: orNull(Type.String()),
  /** While queued: how many are before it, of all users. */
  ahead: orNull(count),
  createdMs: Type.Integer(),
  /** When the agent was started; null before, and for one that never was. */
  startedMs: orNull(Type.Integer()),
  endedMs: orNull(Type.Integer()),
  /** After it, it is ended. */
  timeLimitMs: Type.Integer(),
  /** Of the agent; 128 plus its number where a signal ended it. */
  exitCode: orNull(Type.Integer()),
  /** What it has printed so far, in bytes; its beginning and its end are kept. */
  outputBytes: count,
  /** In the thread's folder, from its start to its end; null before the end, and where that could not be told. */
  changes: orNull(Type.Object({ files: count, insertions: count, deletions: count, commits: count })),
  /** The job that this one repeats. */
  retryOf: orNull(Type.String()),
});
export type Job = Static<typeof Job>;
export const JobList = Type.Object({ jobs: Type.Array(Job) });
export type JobList = Static<typeof JobList>;

/** What a job did in its checkout. The lists are bounded, the counts are of all. */
export const JobChanges = Type.Object({
  /** Changed, added, removed, renamed; lines are null for what is no text. */
  files: Type.Array(
    Type.Object({
      path: Type.String({ maxLength: 4096 }),
      insertions: orNull(count),
      deletions: orNull(count),
    }),
    { maxItems: 1000 },
  ),
  fileCount: count,
  insertions: count,
  deletions: count,
  /** The newest first. */
  commits: Type.Array(Type.Object({ id: Type.String({ maxLength: 64 }), subject: Type.String({ maxLength: 512 }) }), {
    maxItems: 200,
  }),
  commitCount: count,
  /** Bytes of the diff that is kept; `diffCut`: there was more. */
  diffBytes: count,
  diffCut: Type.Boolean(),
});
export type JobChanges = Static<typeof JobChanges>;

export const JobDetails = Type.Object({
  job: Job,
  prompt: Type.String(),
  /** The agent's command as the service has it, with its placeholders. */
  command: Type.Array(Type.String()),
  changes: orNull(JobChanges),
  /** What the person should know: a secret that was left out, changes that could not be told. */
  notes: Type.Array(Type.String()),
});
export type JobDetails = Static<typeof JobDetails>;

export const RunJobRequest = Type.Object(
  {
    /** `{spoon}/{branch}` */
    thread: Type.String({ maxLength: 512 }),
    prompt: Type.String({ maxLength: maxJobPromptBytes }),
    /** Default and most: what the service is set to. */
    timeLimitMs: Type.Optional(Type.Integer({ minimum: minJobTimeLimitMs, maximum: maxJobTimeLimitMs })),
  },
  closed,
);
export type RunJobRequest = Static<typeof RunJobRequest>;

export const SearchJobsRequest = Type.Object(
  {
    /** Found wherever a prompt or a line of a log has it, in any case. */
    text: Type.String({ minLength: 1, maxLength: 256 }),
    thread: Type.Optional(Type.String({ maxLength: 512 })),
  },
  closed,
);
export type SearchJobsRequest = Static<typeof SearchJobsRequest>;

export const JobSearchResult = Type.Object({
  /** The newest job first, in each from the beginning on. */
  matches: Type.Array(
    Type.Object({
      job: Type.String(),
      thread: Type.String(),
      title: Type.String(),
      /** In the log as text, from 1; null: in the prompt. */
      line: orNull(Type.Integer()),
      text: Type.String(),
    }),
  ),
  /** There may be more. */
  truncated: Type.Boolean(),
});
export type JobSearchResult = Static<typeof JobSearchResult>;

export const ClearedJobs = Type.Object({ removed: count });
export type ClearedJobs = Static<typeof ClearedJobs>;

/**
 * What a viewer of a log hears beside the bytes, as JSON text frames. Bytes of output come as binary frames and follow the last
 * `output`; `omitted` bytes before it are not kept. `end` comes once, after all bytes.
 */
export const jobLogMessages = {
  job: Type.Object({ type: Type.Literal('job'), job: Job }),
  output: Type.Object({ type: Type.Literal('output'), offset: count, omitted: count }),
  end: Type.Object({ type: Type.Literal('end'), job: Job }),
} as const;
export type JobLogMessage = {
  [Name in keyof typeof jobLogMessages]: Static<(typeof jobLogMessages)[Name]>;
}[keyof typeof jobLogMessages];

/** From a viewer. The first is `follow`; `ack` says that everything before this offset was shown. */
export type JobLogRequest =
  | { readonly type: 'follow'; readonly offset: number; readonly credit: number }
  | { readonly type: 'ack'; readonly offset: number };
