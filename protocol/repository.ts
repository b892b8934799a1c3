import { type Static, Type } from 'typebox';
import { StageReport } from './boxes.ts';
import { maxRepositoryUrlBytes } from './limits.ts';
import { RepositoryCredential, SetRepositoryCredentialRequest } from './repositoryCredential.ts';

const closed = { additionalProperties: false } as const;
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()]);

export const Manager = Type.Union([
  Type.Literal('chezmoi'),
  Type.Literal('yadm'),
  Type.Literal('stow'),
  Type.Literal('dotbot'),
  Type.Literal('bare-git'),
  Type.Literal('home-manager'),
]);

/** What a person asks for. */
export const RepositorySettings = Type.Object({
  url: Type.String(),
  /** Branch, tag or commit; null: the repository's default branch. */
  ref: nullable(Type.String()),
  /** Below the repository; null: the well-known names in their order, else links. */
  setup: nullable(Type.String()),
  /** Instead of a script: the command of `dotfileManagers.ts`. */
  manager: nullable(Manager),
  /** Take what the ref points to without being asked. */
  always: Type.Boolean(),
  enabled: Type.Boolean(),
  /** Fetch submodules too. */
  submodules: Type.Optional(Type.Boolean()),
  /** Fetch the files that Git LFS keeps. */
  lfs: Type.Optional(Type.Boolean()),
});
export type RepositorySettings = Static<typeof RepositorySettings>;

export const SetRepositoryRequest = Type.Object(
  {
    url: Type.String({ maxLength: maxRepositoryUrlBytes }),
    ref: Type.Optional(nullable(Type.String({ maxLength: 255 }))),
    setup: Type.Optional(nullable(Type.String({ maxLength: 1024 }))),
    manager: Type.Optional(nullable(Manager)),
    always: Type.Optional(Type.Boolean()),
    enabled: Type.Optional(Type.Boolean()),
    submodules: Type.Optional(Type.Boolean()),
    lfs: Type.Optional(Type.Boolean()),
    /** The one that was looked at and agreed to, and so counts; default: as before, else what the ref points to. */
    commit: Type.Optional(Type.String({ pattern: '^[0-9a-f]{40}$' })),
    /** Null: it is public; default: as before, where that is for the same host. Needs `secrets:write`. */
    credential: Type.Optional(nullable(SetRepositoryCredentialRequest)),
  },
  closed,
);
export type SetRepositoryRequest = Static<typeof SetRepositoryRequest>;

/** One run of clone and setup, as it stands. */
export const RepositoryRun = Type.Object({
  state: Type.Union([Type.Literal('running'), Type.Literal('ok'), Type.Literal('failed'), Type.Literal('cancelled')]),
  startedMs: Type.Integer(),
  endedMs: nullable(Type.Integer()),
  commit: nullable(Type.String({ maxLength: 64 })),
  /** What ran, below the repository; null where nothing did. */
  script: nullable(Type.String({ maxLength: 1024 })),
  stages: Type.Array(StageReport, { maxItems: 8 }),
  /** What was set aside, and what may be done next. */
  notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }),
  /** Recognised, where its own command does not run already. */
  manager: nullable(Manager),
});
export type RepositoryRun = Static<typeof RepositoryRun>;

export const RepositoryState = Type.Object({
  /** Null: none is configured. */
  settings: nullable(RepositorySettings),
  /** The commit that counts: what the ref was resolved to when it was last taken. */
  commit: nullable(Type.String()),
  /** What the ref points to by now, where that is another one. */
  available: nullable(Type.String()),
  /** When the repository was last asked. */
  checkedMs: nullable(Type.Integer()),
  /** Absent: none, as public repositories need. */
  credential: Type.Optional(RepositoryCredential),
  run: nullable(RepositoryRun),
});
export type RepositoryState = Static<typeof RepositoryState>;

export const RunRepositoryRequest = Type.Object(
  {
    /** Take what the ref points to now. */
    update: Type.Optional(Type.Boolean()),
    /** Of an update: this one or none, for somebody has looked at it. */
    commit: Type.Optional(Type.String({ pattern: '^[0-9a-f]{40,64}$' })),
  },
  closed,
);
export type RunRepositoryRequest = Static<typeof RunRepositoryRequest>;

/** What setting up from a checkout comes down to. `offered`: a manager is recognised, and nothing runs until it is chosen. */
const PlannedSetup = Type.Union([
  Type.Object({
    kind: Type.Literal('script'),
    path: Type.String({ maxLength: 1024 }),
    interpreter: Type.String({ maxLength: 1024 }),
    /** Its beginning, at most 64 KiB. */
    text: Type.String({ maxLength: 131_072 }),
  }),
  Type.Object({ kind: Type.Literal('manager'), manager: Manager }),
  Type.Object({ kind: Type.Literal('offered'), manager: Manager }),
  Type.Object({ kind: Type.Literal('links') }),
  Type.Object({ kind: Type.Literal('problem'), detail: Type.String({ maxLength: 2048 }) }),
]);
export type PlannedSetup = Static<typeof PlannedSetup>;

/** What a run would do, found out without changing anything. */
export const RepositoryPreview = Type.Object({
  commit: Type.String({ maxLength: 64 }),
  /** Where `~/.dotfiles` is now; null: it is not a checkout of this repository. */
  before: nullable(Type.String({ maxLength: 64 })),
  /** False: nothing changed since the last setup that ended well. */
  wouldRun: Type.Boolean(),
  setup: PlannedSetup,
  /** Of `~/.dotfiles`, by path. */
  files: Type.Array(
    Type.Object({
      path: Type.String({ maxLength: 4096 }),
      change: Type.Union([Type.Literal('added'), Type.Literal('changed'), Type.Literal('removed')]),
    }),
    { maxItems: 1000 },
  ),
  moreFiles: Type.Integer(),
  /** Of `~/.dotfiles`, where it is a checkout at another commit, as `git diff` says it; 128 KiB at most. An old boxd has none. */
  diff: Type.Optional(Type.Object({ text: Type.String({ maxLength: 256 * 1024 }), isCut: Type.Boolean() })),
  /** Of the home. `displaced`: what is there goes to the backups; `kept`: a dotfile of Spoon's tree, which wins. */
  links: Type.Array(
    Type.Object({
      path: Type.String({ maxLength: 4096 }),
      action: Type.Union([
        Type.Literal('linked'),
        Type.Literal('displaced'),
        Type.Literal('unlinked'),
        Type.Literal('restored'),
        Type.Literal('kept'),
      ]),
    }),
    { maxItems: 1000 },
  ),
  moreLinks: Type.Integer(),
  notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }),
});
export type RepositoryPreview = Static<typeof RepositoryPreview>;

export const PreviewRepositoryRequest = Type.Object(
  {
    /** Of what the ref points to now, instead of the commit that counts. */
    update: Type.Optional(Type.Boolean()),
    /** Of this one, instead. */
    generation: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Of a repository that is not chosen yet, instead. */
    settings: Type.Optional(SetRepositoryRequest),
  },
  closed,
);
export type PreviewRepositoryRequest = Static<typeof PreviewRepositoryRequest>;

/** An apply that ended well, to go back to. */
export const RepositoryGeneration = Type.Object({
  /** From 1; never given twice. */
  number: Type.Integer(),
  endedMs: Type.Integer(),
  commit: Type.String({ maxLength: 64 }),
  settings: RepositorySettings,
  script: nullable(Type.String({ maxLength: 1024 })),
});
export type RepositoryGeneration = Static<typeof RepositoryGeneration>;
export const RepositoryGenerations = Type.Object({
  /** Newest first. */
  generations: Type.Array(RepositoryGeneration),
  /** The one that the home is at; null where its last run did not end well, or it is switched off. */
  current: nullable(Type.Integer()),
});
export type RepositoryGenerations = Static<typeof RepositoryGenerations>;
export const RollBackFileRequest = Type.Object(
  {
    generation: Type.Integer({ minimum: 1 }),
    /** Of the home, also through a link into `~/.dotfiles`, or of the repository. */
    path: Type.String({ minLength: 1, maxLength: 4096 }),
  },
  closed,
);
/** What became of it, for a person. */
export const RolledBackFile = Type.Object({ notes: Type.Array(Type.String()) });
export const RollBackRequest = Type.Object({ generation: Type.Integer({ minimum: 0 }) }, closed);
