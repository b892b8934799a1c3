import { type Static, Type } from 'typebox';
import { Manager, RepositoryRun } from './repository.ts';

/**
 * What the service says to boxd about the dotfiles repository (as `boxd.ts`).
 *
 *   GET    /v1/repository/run?step=n     RepositoryRunState, once it is newer than step n or a little later
 *   GET    /v1/repository/log            what the run has printed
 */

/** For git's question to this one host, and nothing else in the box. */
const BoxdCredential = Type.Union([
  Type.Object({ kind: Type.Literal('token'), host: Type.String(), username: Type.String(), token: Type.String() }),
  Type.Object({
    kind: Type.Literal('key'),
    host: Type.String(),
    key: Type.String(),
    hostKeys: Type.Array(Type.String()),
  }),
]);
export type BoxdCredential = Static<typeof BoxdCredential>;

export interface ResolveRef {
  readonly url: string;
  readonly ref: string | null;
  readonly credential?: BoxdCredential | undefined;
}

export const StartRepositoryRun = Type.Object({
  url: Type.String(),
  ref: Type.Union([Type.String(), Type.Null()]),
  commit: Type.Union([Type.String(), Type.Null()]),
  setup: Type.Union([Type.String(), Type.Null()]),
  manager: Type.Union([Manager, Type.Null()]),
  submodules: Type.Optional(Type.Boolean()),
  lfs: Type.Optional(Type.Boolean()),
  /** The operator's, for submodules. */
  gitHosts: Type.Optional(Type.Array(Type.String())),
  /** What the box was made from: a part of what the setup depends on. */
  image: Type.String(),
  /** Also where nothing changed. */
  force: Type.Boolean(),
  cloneMs: Type.Integer(),
  maxBytes: Type.Optional(Type.Integer()),
  setupMs: Type.Integer(),
  /** Secrets for the setup, and for nothing before it. They are no part of what makes it run again. */
  environment: Type.Optional(Type.Record(Type.String(), Type.String())),
  secretFiles: Type.Optional(Type.Record(Type.String(), Type.String())),
  credential: Type.Optional(BoxdCredential),
});
export type StartRepositoryRun = Static<typeof StartRepositoryRun>;
/** `step` counts the changes; `upToDate`: nothing changed since the last setup that ended well, so none was begun. */
export const RepositoryRunState = Type.Object({
  step: Type.Integer(),
  upToDate: Type.Boolean(),
  run: Type.Union([RepositoryRun, Type.Null()]),
});
export type RepositoryRunState = Static<typeof RepositoryRunState>;
export const ResolvedRef = Type.Object({ commit: Type.String({ pattern: '^[0-9a-f]{40}$' }) });
export const RepositoryRemoved = Type.Object({ notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }) });
