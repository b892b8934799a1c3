import { type Static, Type } from 'typebox';
import { StageReport } from './boxes.ts';
import { DotfileKind } from './dotfiles.ts';
import { maxLayerBackups, maxReportedDrifts } from './limits.ts';
import { Terminal } from './terminals.ts';

/**
 * What the service says to boxd, as HTTP over a connection that boxd dialled (`security.md` decisions 1 and 2). boxd runs
 * as the user: nothing in its answers is trusted, everything is bounded and checked against these schemas.
 *
 *   GET    /v1/stat                      Stat
 *   POST   /v1/overlay/check             OverlayCheck → OverlayCheckResult: is the home as the overlay wants it
 *   POST   /v1/overlay/plan              OverlayPlan → OverlayPlanResult: which contents are needed for the whole overlay
 *   POST   /v1/overlay/apply             framed body (overlayFrames.ts) → OverlayReport
 *   GET    /v1/overlay/drift?after=…     DriftReport, as soon as it has another sequence, at the latest after `driftWaitMs`
 *   GET    /v1/overlay/home?path=…       frames (overlayFrames.ts): HomeEntry, then the bytes of a file or a link's target
 *   GET    /v1/overlay/layers?path=…     LayerFacts
 *   GET    /v1/backups?path=…            bytes of one backup that a report named
 *   POST   /v1/terminals                 StartTerminal → StartedTerminal
 *   GET    /v1/terminals                 TerminalStates
 *   DELETE /v1/terminals/{id}            ends the process group
 *   GET    /v1/terminals/{id}/attach     upgrade
 *   POST   /v1/commands                  StartCommand → StartedCommand; it runs once attached, and is forgotten after 30 s unattached
 *   GET    /v1/commands/{id}/attach      upgrade
 *   POST   /v1/repository/run            StartRepositoryRun → RepositoryRunState; begins one unless nothing changed
 *   POST   /v1/repository/cancel         ends it and what it started → RepositoryRunState
 *   POST   /v1/repository/resolve        { url, ref } → ResolvedRef, without fetching
 *   POST   /v1/repository/remove         takes out what was linked, puts back what was displaced → RepositoryRemoved
 *   GET    /v1/files/stat, /v1/files/list, DELETE /v1/files: `path`, as in the routes of the service → FileStat, FolderEntries
 *   GET    /v1/files/content             two frames (overlayFrames.ts): FileStat as JSON, the bytes
 *   POST   /v1/files/content             `path`, and `version` or `create=1`; the bytes → FileStat
 *   POST   /v1/files/folders, …/move, …/copy    as in the routes of the service → FileStat
 *   GET    /v1/files/watch               upgrade (homeFiles.ts)
 *   POST   /v1/git                       { id, kind, … } → GitOperation (protocol 2)
 *   GET    /v1/git/{id}?step=n           GitOperation, once it is newer than step n or a little later
 *   DELETE /v1/git/{id}                  cancels it and what it runs
 *   POST   /v1/git-status                { folders, maxAgeMs } → CheckoutStatuses
 *   …      /v1/repository/…              boxdRepository.ts
 *   …      /v1/jobs/…                    boxdJobs.ts
 */

export const Stat = Type.Object({
  protocol: Type.Integer(),
  /** Content hash of the bundle that runs. */
  build: Type.String({ maxLength: 128 }),
  pid: Type.Integer(),
  rssBytes: Type.Integer(),
  startedMs: Type.Integer(),
});
export type Stat = Static<typeof Stat>;

/** One entry of the overlay. `content` names the bytes: equal names, equal bytes; it is keyed and says nothing about them. */
export const OverlayEntry = Type.Object({
  path: Type.String(),
  kind: DotfileKind,
  mode: Type.Integer({ minimum: 0, maximum: 0o777 }),
  size: Type.Integer({ minimum: 0 }),
  content: Type.String({ maxLength: 128 }),
});
export type OverlayEntry = Static<typeof OverlayEntry>;

/** `digest` names the whole overlay; boxd compares it with its manifest and then only looks at the files. */
export const OverlayCheck = Type.Object({ digest: Type.String({ maxLength: 128 }) });
export type OverlayCheck = Static<typeof OverlayCheck>;
export const OverlayCheckResult = Type.Object({ upToDate: Type.Boolean() });
export type OverlayCheckResult = Static<typeof OverlayCheckResult>;

export const OverlayPlan = Type.Object({ digest: Type.String({ maxLength: 128 }), entries: Type.Array(OverlayEntry) });
export type OverlayPlan = Static<typeof OverlayPlan>;
/** The paths whose bytes the box does not have yet. */
export const OverlayPlanResult = Type.Object({ needed: Type.Array(Type.String()) });
export type OverlayPlanResult = Static<typeof OverlayPlanResult>;

/**
 * First frame of `/v1/overlay/apply`. `whole`: `entries` is everything, and what the manifest has beyond it is removed.
 * `change`: only `entries` and `removed` are touched. Then one frame per entry with bytes.
 */
export const OverlayApply = Type.Object({
  scope: Type.Union([Type.Literal('whole'), Type.Literal('change')]),
  /** Of the whole overlay after this change. */
  digest: Type.String({ maxLength: 128 }),
  /**
   * With `change`: the digest before it. boxd takes over `digest` only when its manifest stood exactly there, so that a
   * change that never arrived is found by the next check. Without it boxd is not up to date until the next `whole`.
   */
  base: Type.Optional(Type.String({ maxLength: 128 })),
  entries: Type.Array(OverlayEntry),
  removed: Type.Array(Type.String()),
  /** What is removed gives its place back to what was there before Spoon: dotfiles are turned off. */
  restore: Type.Optional(Type.Literal(true)),
});
export type OverlayApply = Static<typeof OverlayApply>;

export const OverlayOutcome = Type.Object({
  path: Type.String({ maxLength: 4096 }),
  result: Type.Union([
    Type.Literal('written'),
    Type.Literal('unchanged'),
    Type.Literal('removed'),
    /** Was to be removed, but a person had changed it: left where it is. */
    Type.Literal('kept'),
    /** Removed, and what was there before put back. */
    Type.Literal('restored'),
    Type.Literal('refused'),
  ]),
  /** An error code of protocol/errors.ts where refused. */
  code: Type.Optional(Type.String({ maxLength: 64 })),
  detail: Type.Optional(Type.String({ maxLength: 4096 })),
  /** What was in the way and is kept, relative to the home: a hand edit, a link, a file that Spoon had not written. */
  backup: Type.Optional(Type.String({ maxLength: 4096 })),
  backupKind: Type.Optional(Type.Union([Type.Literal('edit'), Type.Literal('symlink')])),
  /** The `content` that Spoon had written there, on top of which the edit was made. */
  base: Type.Optional(Type.String({ maxLength: 128 })),
});
export type OverlayOutcome = Static<typeof OverlayOutcome>;

export const OverlayReport = Type.Object({ outcomes: Type.Array(OverlayOutcome), stages: Type.Array(StageReport) });
export type OverlayReport = Static<typeof OverlayReport>;

/** What the home has at one path. */
export const HomeEntry = Type.Object({
  kind: Type.Union([DotfileKind, Type.Literal('missing'), Type.Literal('other')]),
  mode: Type.Integer({ minimum: 0, maximum: 0o777 }),
  size: Type.Integer({ minimum: 0 }),
  modifiedMs: Type.Integer({ minimum: 0 }),
});
export type HomeEntry = Static<typeof HomeEntry>;

/** What boxd can tell about who made a path of the home. */
export const LayerFacts = Type.Object({
  home: HomeEntry,
  linkTarget: Type.Optional(Type.String({ maxLength: 4096 })),
  /** What Spoon wrote there from the overlay. */
  managed: Type.Optional(
    Type.Object({
      kind: DotfileKind,
      mode: Type.Integer({ minimum: 0, maximum: 0o777 }),
      size: Type.Integer({ minimum: 0 }),
      content: Type.String({ maxLength: 128 }),
      state: Type.Union([
        Type.Literal('asLeft'),
        Type.Literal('modified'),
        Type.Literal('missing'),
        Type.Literal('mode'),
        Type.Literal('replaced'),
      ]),
    }),
  ),
  /** The path, or a folder on the way to it, that is a link into the checkout of the dotfiles repository. */
  repositoryLink: Type.Optional(Type.String({ maxLength: 4096 })),
  /** It is a file that every new home gets. */
  madeBySpoon: Type.Boolean(),
  /** The image's `/etc/skel` has such a file. */
  skeleton: Type.Union([Type.Literal('none'), Type.Literal('same'), Type.Literal('other')]),
  /** What was in the way of earlier applies, relative to the home, the newest first. */
  backups: Type.Array(Type.String({ maxLength: 4096 }), { maxItems: maxLayerBackups }),
});
export type LayerFacts = Static<typeof LayerFacts>;

export const HomeDrift = Type.Object({
  path: Type.String({ maxLength: 4096 }),
  state: Type.Union([
    Type.Literal('modified'),
    Type.Literal('missing'),
    Type.Literal('mode'),
    Type.Literal('replaced'),
  ]),
  home: HomeEntry,
  /** The `content` that Spoon had written. */
  base: Type.String({ maxLength: 128 }),
});
export type HomeDrift = Static<typeof HomeDrift>;

/** Every managed file that is not as Spoon left it, up to `maxReportedDrifts`. */
export const DriftReport = Type.Object({
  /** Another one for each change, also across restarts of boxd. */
  sequence: Type.Integer({ minimum: 0 }),
  drifts: Type.Array(HomeDrift, { maxItems: maxReportedDrifts }),
});
export type DriftReport = Static<typeof DriftReport>;

export const StartTerminal = Type.Object({
  id: Type.String(),
  shell: Type.String(),
  cwd: Type.String(),
  columns: Type.Integer(),
  rows: Type.Integer(),
  safe: Type.Boolean(),
  /** Kept and told again, for lists. */
  thread: Type.Optional(Type.String()),
  environment: Type.Record(Type.String(), Type.String()),
  /** Secrets that are to be files: their bytes in base64; the variable then holds the path. */
  secretFiles: Type.Optional(Type.Record(Type.String(), Type.String())),
});
export type StartTerminal = Static<typeof StartTerminal>;
export const StartedTerminal = Type.Object({
  /** Only what a start does not know yet, such as `busy`, is left out by every boxd. */
  terminal: Type.Omit(Terminal, ['busy', 'lastLine']),
  notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }),
});
export type StartedTerminal = Static<typeof StartedTerminal>;

/** A `busy` one holds the box while detached (decision 8). A boxd from before it said so leaves `lastLine` out. */
export const TerminalState = Type.Object({
  ...Type.Omit(Terminal, ['lastLine']).properties,
  lastLine: Type.Optional(Type.String({ maxLength: 1024 })),
});
export type TerminalState = Static<typeof TerminalState>;
export const TerminalStates = Type.Object({
  terminals: Type.Array(TerminalState, { maxItems: 1024 }),
  commands: Type.Integer({ minimum: 0 }),
  /** Agent jobs that run. A boxd from before jobs leaves it out. */
  jobs: Type.Optional(
    Type.Array(Type.Object({ id: Type.String({ maxLength: 64 }), thread: Type.String({ maxLength: 1024 }) }), {
      maxItems: 64,
    }),
  ),
  /** Programs that were put into the box from outside, by `docker exec`. A boxd from before them leaves it out. */
  fromOutside: Type.Optional(Type.Integer({ minimum: 0 })),
});
export type TerminalStates = Static<typeof TerminalStates>;

export const StartCommand = Type.Object({
  id: Type.String(),
  argv: Type.Array(Type.String()),
  cwd: Type.String(),
  environment: Type.Record(Type.String(), Type.String()),
  /** Secrets that are to be files: their bytes in base64; the variable then holds the path. */
  secretFiles: Type.Optional(Type.Record(Type.String(), Type.String())),
});
export type StartCommand = Static<typeof StartCommand>;
export const StartedCommand = Type.Object({ notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }) });
export type StartedCommand = Static<typeof StartedCommand>;
