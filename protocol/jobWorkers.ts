import { type Static, Type } from 'typebox';
import { DotfileKind } from './dotfiles.ts';
import { JobState } from './jobs.ts';
import { Manager } from './repository.ts';

/** What a worker on another machine is told about the one job that it runs, and what an operator gives it for that. */

/** Shown once. It ends with the job. */
export const WorkerToken = Type.Object({
  token: Type.String(),
  job: Type.String(),
  /** At the latest. */
  expiresMs: Type.Integer(),
});
export type WorkerToken = Static<typeof WorkerToken>;

/** Without thread, prompt and title: an operator has no contents. */
export const AdminJob = Type.Object({
  id: Type.String(),
  username: Type.String(),
  state: JobState,
  createdMs: Type.Integer(),
  startedMs: Type.Union([Type.Integer(), Type.Null()]),
});
export type AdminJob = Static<typeof AdminJob>;
export const AdminJobList = Type.Object({
  /** How many may run at once. */
  maxConcurrent: Type.Integer(),
  jobs: Type.Array(AdminJob),
});
export type AdminJobList = Static<typeof AdminJobList>;

/** Made as it is sent, entry by entry: all dotfiles of a user may be more than fits into memory. */
export const JobEnvironment = Type.Object({
  job: Type.String(),
  username: Type.String(),
  /** What is cloned and run before the overlay; null: none is set, or it is switched off. */
  repository: Type.Union([
    Type.Object({
      url: Type.String(),
      ref: Type.Union([Type.String(), Type.Null()]),
      /** The one that counts; null until the ref has been resolved. */
      commit: Type.Union([Type.String(), Type.Null()]),
      /** Of the setup script, relative to the repository; null: looked for by the usual names. */
      setup: Type.Union([Type.String(), Type.Null()]),
      /** Whose own command is the setup, instead of a script. */
      manager: Type.Union([Manager, Type.Null()]),
    }),
    Type.Null(),
  ]),
  /** Written last: it wins. */
  overlay: Type.Object({
    digest: Type.String(),
    entries: Type.Array(
      Type.Object({
        path: Type.String(),
        kind: DotfileKind,
        mode: Type.Integer(),
        /** In base64: the bytes of a file, the target of a link; empty for a folder. */
        content: Type.String(),
      }),
    ),
  }),
});
export type JobEnvironment = Static<typeof JobEnvironment>;
