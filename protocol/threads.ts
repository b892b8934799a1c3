import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;
const count = Type.Integer({ minimum: 0 });

/** A repository that threads are made of. Its name is a folder's name: `~/Code/{name}`. */
export const Spoon = Type.Object({
  id: Type.String(),
  name: Type.String(),
  url: Type.String(),
  /** Null until the repository has been asked. */
  defaultBranch: Type.Union([Type.String(), Type.Null()]),
  createdMs: Type.Integer(),
  threads: count,
});
export type Spoon = Static<typeof Spoon>;
export const SpoonList = Type.Object({ spoons: Type.Array(Spoon) });
export type SpoonList = Static<typeof SpoonList>;

export const CreateSpoonRequest = Type.Object(
  {
    /** Left out: made from the address (`…/api.git` → `api`). */
    name: Type.Optional(Type.String()),
    url: Type.String(),
    defaultBranch: Type.Optional(Type.String()),
  },
  closed,
);
export type CreateSpoonRequest = Static<typeof CreateSpoonRequest>;

/** Asked of the repository's server, from inside the box. */
export const BranchList = Type.Object({
  defaultBranch: Type.Union([Type.String(), Type.Null()]),
  branches: Type.Array(Type.String()),
  /** There are more than are listed. */
  truncated: Type.Boolean(),
});
export type BranchList = Static<typeof BranchList>;

/** What git says of a checkout. Numbers are bounded: `dirtyMore` and `unpushedMore` say that there are more. */
export const CheckoutStatus = Type.Object({
  /** `missing`: no folder; `broken`: a folder that git cannot read, `detail` says why; `busy`: git works in it just now. */
  state: Type.Union([Type.Literal('ready'), Type.Literal('missing'), Type.Literal('broken'), Type.Literal('busy')]),
  /** The branch that is checked out, which a person may have changed; null when none is. */
  branch: Type.Union([Type.String({ maxLength: 1024 }), Type.Null()]),
  /** Changed, added, removed and untracked files. */
  dirty: count,
  dirtyMore: Type.Boolean(),
  /** Against the branch's upstream; null where it has none. */
  ahead: Type.Union([count, Type.Null()]),
  behind: Type.Union([count, Type.Null()]),
  /** Commits of any local branch that no remote has. */
  unpushed: count,
  unpushedMore: Type.Boolean(),
  stashes: count,
  /** What is under way. */
  operation: Type.Optional(
    Type.Union([
      Type.Literal('merge'),
      Type.Literal('rebase'),
      Type.Literal('cherry-pick'),
      Type.Literal('revert'),
      Type.Literal('bisect'),
    ]),
  ),
  detail: Type.Optional(Type.String({ maxLength: 1024 })),
  checkedMs: Type.Integer(),
});
export type CheckoutStatus = Static<typeof CheckoutStatus>;

/** A branch of a spoon in a folder of the home. Its name for people and scripts is `{spoon}/{branch}`. */
export const Thread = Type.Object({
  id: Type.String(),
  spoonId: Type.String(),
  spoon: Type.String(),
  branch: Type.String(),
  /** Relative to the home: `Code/{spoon}/{branch}`. */
  folder: Type.String(),
  createdMs: Type.Integer(),
  /** When a terminal or command was last started in it, for "recent first". */
  usedMs: Type.Integer(),
  /** What was last seen; null while the box is off or has not been asked. */
  status: Type.Union([CheckoutStatus, Type.Null()]),
});
export type Thread = Static<typeof Thread>;
export const ThreadList = Type.Object({ threads: Type.Array(Thread) });
export type ThreadList = Static<typeof ThreadList>;

/**
 * The spoon by its name; with `url` it is made where there is none (one of that name with another address is refused).
 * `start`: only an `existing` branch, only a `new` one from the default branch, or (left out) whichever it is.
 */
export const CreateThreadRequest = Type.Object(
  {
    spoon: Type.String(),
    branch: Type.String(),
    url: Type.Optional(Type.String()),
    start: Type.Optional(Type.Union([Type.Literal('existing'), Type.Literal('new')])),
  },
  closed,
);
export type CreateThreadRequest = Static<typeof CreateThreadRequest>;
export const CreatedThread = Type.Object({
  thread: Thread,
  /** What the person should know: the branch is new, large files were left out, the box had to be started. */
  notes: Type.Array(Type.String()),
});
export type CreatedThread = Static<typeof CreatedThread>;

/** Of *Update*: fetch, then fast-forward; nothing else is ever done to local work. */
export const UpdateOutcome = Type.Object({
  result: Type.Union([
    Type.Literal('up-to-date'),
    Type.Literal('fast-forwarded'),
    /** Both sides have commits of their own: merge or rebase is the person's choice. */
    Type.Literal('diverged'),
    /** Unsaved changes are in files that the update would change. */
    Type.Literal('blocked'),
    /** The branch has no upstream, or none is checked out: fetched, nothing to forward. */
    Type.Literal('no-upstream'),
  ]),
  /** Commits that came in. */
  commits: count,
  detail: Type.Optional(Type.String({ maxLength: 4096 })),
});
export type UpdateOutcome = Static<typeof UpdateOutcome>;
export const UpdatedThread = Type.Object({ thread: Thread, update: UpdateOutcome });
export type UpdatedThread = Static<typeof UpdatedThread>;

/** What *Delete Checkout* would lose, by name as far as the lists go; the counts are of all. */
export const CheckoutLosses = Type.Object({
  /** Commits that no remote has, `a1b2c3d subject`. */
  unpushed: Type.Array(Type.String({ maxLength: 512 })),
  unpushedCount: count,
  /** Paths of changed and untracked files. */
  unsaved: Type.Array(Type.String({ maxLength: 4096 })),
  unsavedCount: count,
  stashes: Type.Array(Type.String({ maxLength: 512 })),
  stashesCount: count,
  /** Files and folders that git ignores, such as `.env` and `node_modules/`. */
  ignored: Type.Array(Type.String({ maxLength: 4096 })),
  ignoredCount: count,
  /** Nothing of it could be read as a checkout: everything in the folder is lost. */
  unreadable: Type.Boolean(),
  /** Names exactly these losses: sent back as `confirm` it deletes them, and only them. */
  confirm: Type.String({ maxLength: 128 }),
});
export type CheckoutLosses = Static<typeof CheckoutLosses>;
export const ThreadLosses = Type.Object({
  losses: CheckoutLosses,
  /** Titles of the terminals that were opened in the thread; they are not ended. */
  terminals: Type.Array(Type.String()),
});
export type ThreadLosses = Static<typeof ThreadLosses>;

/** How far git is. `percent` is of the phase. */
export const CheckoutProgress = Type.Object({
  phase: Type.Union([
    Type.Literal('starting-box'),
    Type.Literal('connecting'),
    Type.Literal('receiving'),
    Type.Literal('resolving'),
    Type.Literal('checking-out'),
  ]),
  percent: Type.Union([Type.Integer({ minimum: 0, maximum: 100 }), Type.Null()]),
  /** Of what has been received; null before. */
  receivedBytes: Type.Union([count, Type.Null()]),
});
export type CheckoutProgress = Static<typeof CheckoutProgress>;
