import { type Static, Type } from 'typebox';
import { StageReport } from './boxes.ts';
import { DotfileKind } from './dotfiles.ts';
import { Terminal } from './terminals.ts';
import { CheckoutProgress, CheckoutStatus } from './threads.ts';

/**
 * What the service says to boxd, as HTTP over a connection that boxd dialled (`security.md` decisions 1 and 2). boxd runs
 * as the user: nothing in its answers is trusted, everything is bounded and checked against these schemas.
 *
 *   GET    /v1/stat                      Stat
 *   POST   /v1/overlay/check             OverlayCheck → OverlayCheckResult: is the home as the overlay wants it
 *   POST   /v1/overlay/plan              OverlayPlan → OverlayPlanResult: which contents are needed for the whole overlay
 *   POST   /v1/overlay/apply             framed body (overlayFrames.ts) → OverlayReport
 *   GET    /v1/backups?path=…            bytes of one backup that a report named
 *   POST   /v1/terminals                 StartTerminal → StartedTerminal
 *   GET    /v1/terminals                 TerminalStates
 *   DELETE /v1/terminals/{id}            ends the process group
 *   GET    /v1/terminals/{id}/attach     upgrade
 *   POST   /v1/commands                  StartCommand → StartedCommand; it runs once attached, and is forgotten after 30 s unattached
 *   GET    /v1/commands/{id}/attach      upgrade
 *   POST   /v1/git                       { id, kind, … } → GitOperation (protocol 2)
 *   GET    /v1/git/{id}?step=n           GitOperation, once it is newer than step n or a little later
 *   DELETE /v1/git/{id}                  cancels it and what it runs
 *   POST   /v1/git-status                { folders, maxAgeMs } → CheckoutStatuses
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
    Type.Literal('refused'),
  ]),
  /** An error code of protocol/errors.ts where refused. */
  code: Type.Optional(Type.String({ maxLength: 64 })),
  detail: Type.Optional(Type.String({ maxLength: 4096 })),
  /** What was in the way and is kept, relative to the home: a hand edit, a link, a file that Spoon had not written. */
  backup: Type.Optional(Type.String({ maxLength: 4096 })),
  backupKind: Type.Optional(Type.Union([Type.Literal('edit'), Type.Literal('symlink')])),
});
export type OverlayOutcome = Static<typeof OverlayOutcome>;

export const OverlayReport = Type.Object({ outcomes: Type.Array(OverlayOutcome), stages: Type.Array(StageReport) });
export type OverlayReport = Static<typeof OverlayReport>;

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
});
export type StartTerminal = Static<typeof StartTerminal>;
export const StartedTerminal = Type.Object({
  terminal: Terminal,
  notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }),
});
export type StartedTerminal = Static<typeof StartedTerminal>;

/** `busy`: has a foreground child other than its shell, and so holds the box while detached (decision 8). */
export const TerminalState = Type.Intersect([Terminal, Type.Object({ busy: Type.Boolean() })]);
export type TerminalState = Static<typeof TerminalState>;
export const TerminalStates = Type.Object({
  terminals: Type.Array(TerminalState, { maxItems: 1024 }),
  commands: Type.Integer({ minimum: 0 }),
});
export type TerminalStates = Static<typeof TerminalStates>;

export const StartCommand = Type.Object({
  id: Type.String(),
  argv: Type.Array(Type.String()),
  cwd: Type.String(),
  environment: Type.Record(Type.String(), Type.String()),
});
export type StartCommand = Static<typeof StartCommand>;
export const StartedCommand = Type.Object({ notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }) });
export type StartedCommand = Static<typeof StartedCommand>;

/**
 * What takes longer than a request (`/v1/git`): begun by one, asked for until it has ended. `step` counts the changes.
 * Results: `CheckoutMade`, `UpdateOutcome`, `BranchList`, `CheckoutLosses`, `CheckoutRemoved`, by the kind that was begun.
 */
export const GitOperation = Type.Union([
  Type.Object({ state: Type.Literal('running'), step: Type.Integer(), progress: CheckoutProgress }),
  Type.Object({ state: Type.Literal('done'), step: Type.Integer(), result: Type.Unknown() }),
  Type.Object({
    state: Type.Literal('failed'),
    step: Type.Integer(),
    code: Type.String({ maxLength: 64 }),
    detail: Type.Optional(Type.String({ maxLength: 4096 })),
    extra: Type.Record(Type.String(), Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Boolean()])),
  }),
]);
export type GitOperation = Static<typeof GitOperation>;

export interface MakeCheckout {
  readonly folder: string;
  readonly url: string;
  readonly branch: string;
  readonly start: 'existing' | 'new' | 'either';
  readonly defaultBranch: string | null;
  /** The thread is known: a checkout that is there is its own, whatever state it is in. */
  readonly again: boolean;
  readonly timeoutMs: number;
}
export const CheckoutMade = Type.Object({
  /** The branch was made here. */
  isNew: Type.Boolean(),
  /** Null where the repository was not asked, or has none. */
  defaultBranch: Type.Union([Type.String({ maxLength: 1024 }), Type.Null()]),
  notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }),
});
export type CheckoutMade = Static<typeof CheckoutMade>;
export const CheckoutRemoved = Type.Object({ removed: Type.Boolean() });

export const CheckoutStatuses = Type.Object({
  statuses: Type.Array(Type.Object({ folder: Type.String({ maxLength: 1024 }), status: CheckoutStatus }), {
    maxItems: 1024,
  }),
});
export type CheckoutStatuses = Static<typeof CheckoutStatuses>;
