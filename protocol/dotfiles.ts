import { type Static, Type } from 'typebox';

/**
 * A dotfile: a file, a symbolic link (its content is the target), or a folder that is kept for its own sake (empty, or
 * with a mode of its own). Folders above a file need no entry.
 */
export const DotfileKind = Type.Union([Type.Literal('file'), Type.Literal('symlink'), Type.Literal('directory')]);
export type DotfileKind = Static<typeof DotfileKind>;

export const Dotfile = Type.Object({
  id: Type.String(),
  path: Type.String(),
  kind: DotfileKind,
  /** Permission bits, 0 to 0o777. */
  mode: Type.Integer({ minimum: 0, maximum: 0o777 }),
  size: Type.Integer({ minimum: 0 }),
  version: Type.Integer({ minimum: 1 }),
  /** `"v<version>-<mac8>"`, keyed: it never lets somebody test a guess of the content. */
  etag: Type.String(),
  /** Milliseconds since 1970, given by the service, strictly increasing per file. */
  modifiedMs: Type.Integer(),
  createdMs: Type.Integer(),
  /** Its owner has said that what looks like a secret in it is fine (`protocol/secretRules.ts`). */
  secretsSilenced: Type.Optional(Type.Literal(true)),
});
export type Dotfile = Static<typeof Dotfile>;

export const DotfileList = Type.Object({
  dotfiles: Type.Array(Dotfile),
  /** How many more are stored but failed their integrity check, so that not even their name is known. */
  damaged: Type.Optional(Type.Integer({ minimum: 1 })),
});
export type DotfileList = Static<typeof DotfileList>;

/** What became of a save in the running box: `pending` when the box did not answer in time and will catch up. */
export const AppliedState = Type.Union([
  Type.Literal('applied'),
  Type.Literal('conflict'),
  Type.Literal('refused'),
  Type.Literal('pending'),
  Type.Literal('boxOff'),
  /** Dotfiles are turned off (`dotfilesSwitch.ts`). */
  Type.Literal('off'),
]);
export type AppliedState = Static<typeof AppliedState>;

export const SaveWarning = Type.Union([Type.Literal('case-collision'), Type.Literal('not-portable')]);
export type SaveWarning = Static<typeof SaveWarning>;

export const Applied = Type.Object({
  state: AppliedState,
  /** For a person, where the state is not `applied`, `boxOff` or `off`. */
  detail: Type.Optional(Type.String()),
});
export type Applied = Static<typeof Applied>;

export const SaveResult = Type.Object({
  dotfile: Dotfile,
  applied: Applied,
  warnings: Type.Array(SaveWarning),
});
export type SaveResult = Static<typeof SaveResult>;

/** A dotfile that is gone, by the name under which a restore finds it. */
export const RemovedDotfile = Type.Object({ id: Type.String(), path: Type.String() });
export type RemovedDotfile = Static<typeof RemovedDotfile>;

export const RemoveResult = Type.Object({
  removed: Type.Integer({ minimum: 0 }),
  /** Those that can be restored: all but what was damaged. */
  dotfiles: Type.Array(RemovedDotfile),
  applied: Applied,
});
export type RemoveResult = Static<typeof RemoveResult>;

export const MoveRequest = Type.Object(
  {
    from: Type.String(),
    to: Type.String(),
    /** Replace what is at the target. */
    overwrite: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type MoveRequest = Static<typeof MoveRequest>;

export const MoveResult = Type.Object({ dotfiles: Type.Array(Dotfile), applied: Applied });
export type MoveResult = Static<typeof MoveResult>;

/** Where a version came from. */
export const VersionOrigin = Type.Union([
  Type.Literal('editor'),
  Type.Literal('spoonctl'),
  Type.Literal('drift'),
  Type.Literal('import'),
  Type.Literal('restore'),
  Type.Literal('api'),
]);
export type VersionOrigin = Static<typeof VersionOrigin>;

export const DotfileVersion = Type.Object({
  version: Type.Integer({ minimum: 1 }),
  kind: DotfileKind,
  mode: Type.Integer(),
  size: Type.Integer({ minimum: 0 }),
  origin: VersionOrigin,
  createdMs: Type.Integer(),
  current: Type.Boolean(),
});
export type DotfileVersion = Static<typeof DotfileVersion>;

export const DotfileHistory = Type.Object({
  id: Type.String(),
  path: Type.String(),
  /** When it was removed, where it was. */
  deletedMs: Type.Optional(Type.Integer()),
  /** Newest first. */
  versions: Type.Array(DotfileVersion),
});
export type DotfileHistory = Static<typeof DotfileHistory>;

export const DeletedDotfile = Type.Object({
  id: Type.String(),
  path: Type.String(),
  kind: DotfileKind,
  mode: Type.Integer(),
  size: Type.Integer({ minimum: 0 }),
  /** The last one that was current. */
  version: Type.Integer({ minimum: 1 }),
  deletedMs: Type.Integer(),
  /** From then on it can no longer be restored. */
  forgottenMs: Type.Integer(),
});
export type DeletedDotfile = Static<typeof DeletedDotfile>;

/** The last one removed first. */
export const DeletedDotfileList = Type.Object({ dotfiles: Type.Array(DeletedDotfile) });
export type DeletedDotfileList = Static<typeof DeletedDotfileList>;

/**
 * Makes an older version the current one, as a new version of origin `restore`; or brings back a removed dotfile under its
 * path, with its whole history. Exactly one of `path` and `id`; a path that is free means what was last removed there.
 */
export const RestoreRequest = Type.Object(
  {
    path: Type.Optional(Type.String()),
    id: Type.Optional(Type.String()),
    /** Default for a removed one: its last. */
    version: Type.Optional(Type.Integer({ minimum: 1 })),
    /** The version that is to be replaced, as its etag: refused when something newer is there. */
    etag: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type RestoreRequest = Static<typeof RestoreRequest>;

/** A folder without an entry of its own gets one. */
export const ModeRequest = Type.Object(
  {
    path: Type.String(),
    /** Octal, such as `644`. */
    mode: Type.String(),
    etag: Type.Optional(Type.String()),
    origin: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type ModeRequest = Static<typeof ModeRequest>;

export const SilenceRequest = Type.Object(
  { path: Type.String(), silenced: Type.Boolean() },
  { additionalProperties: false },
);
export type SilenceRequest = Static<typeof SilenceRequest>;

/**
 * One file of `POST /v1/dotfiles/batch`, whose body is two frames for each (`protocol/overlayFrames.ts`): this as JSON, and
 * the bytes.
 */
export const BatchEntry = Type.Object(
  {
    path: Type.String(),
    kind: Type.Optional(DotfileKind),
    /** Octal, such as `644`. */
    mode: Type.Optional(Type.String()),
    /** The version that it replaces; without it nothing may be there. */
    etag: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type BatchEntry = Static<typeof BatchEntry>;

/** Why one file of many did not go in; nothing of it did. */
export const Refusal = Type.Object({ code: Type.String(), title: Type.String(), detail: Type.Optional(Type.String()) });
export type Refusal = Static<typeof Refusal>;

export const BatchOutcome = Type.Union([
  Type.Object({
    path: Type.String(),
    dotfile: Dotfile,
    /** False: it was like that already. */
    changed: Type.Boolean(),
    applied: Applied,
    warnings: Type.Array(SaveWarning),
  }),
  Type.Object({ path: Type.String(), refused: Refusal }),
]);
export type BatchOutcome = Static<typeof BatchOutcome>;

/** In the order of the request. */
export const BatchResult = Type.Object({ outcomes: Type.Array(BatchOutcome) });
export type BatchResult = Static<typeof BatchResult>;

/** What an import does where a dotfile is there already: refuse the whole archive, leave the dotfile, or replace it. */
export const OnExisting = Type.Union([Type.Literal('refuse'), Type.Literal('keep'), Type.Literal('replace')]);
export type OnExisting = Static<typeof OnExisting>;

export const ImportResult = Type.Object({
  /** New or changed. */
  saved: Type.Integer({ minimum: 0 }),
  /** In the archive as they are here. */
  unchanged: Type.Integer({ minimum: 0 }),
  /** Were there and stayed, as was asked for; up to 1,000 names. */
  kept: Type.Array(Type.String()),
  /** On the list of what no import takes (`protocol/ignoredFiles.ts`); up to 1,000 names. */
  ignored: Type.Array(Type.String()),
  /** What looks like a secret (`protocol/secretRules.ts`), by file. */
  secrets: Type.Array(Type.Object({ path: Type.String(), what: Type.String(), line: Type.Integer() })),
  applied: Applied,
});
export type ImportResult = Static<typeof ImportResult>;

/**
 * How a dotfile in the home differs from the overlay. `modified`, `missing`, `mode`, `replaced` (by something of another kind)
 * are in the home now. `kept`: an edit that was in the way of an apply, and is a version now. `conflict`: an edit and a newer
 * save of the same file; either the edit is still in the home or it is kept.
 */
export const DriftState = Type.Union([
  Type.Literal('modified'),
  Type.Literal('missing'),
  Type.Literal('mode'),
  Type.Literal('replaced'),
  Type.Literal('kept'),
  Type.Literal('conflict'),
]);
export type DriftState = Static<typeof DriftState>;

export const DotfileDrift = Type.Object({
  id: Type.String(),
  path: Type.String(),
  state: DriftState,
  /** What is in the home, where something is and it is not as the overlay wants it. */
  home: Type.Optional(
    Type.Object({
      /** `other`: a device, pipe or socket, of which nothing can be read. */
      kind: Type.Union([DotfileKind, Type.Literal('other')]),
      mode: Type.Integer(),
      size: Type.Integer({ minimum: 0 }),
      modifiedMs: Type.Integer(),
    }),
  ),
  /** The version that the edit was made on top of, where it is known and still kept: the base of a three-way merge. */
  baseVersion: Type.Optional(Type.Integer({ minimum: 1 })),
  /** The version that holds the edit, when it is not in the home any more. */
  driftVersion: Type.Optional(Type.Integer({ minimum: 1 })),
});
export type DotfileDrift = Static<typeof DotfileDrift>;

export const DriftList = Type.Object({
  /** False while the box is off: then only `kept` and `conflict` are known. */
  watching: Type.Boolean(),
  drifts: Type.Array(DotfileDrift),
  /** What keeps dotfiles from being in the running box as they are stored. Older services do not say. */
  troubles: Type.Optional(Type.Array(Type.Object({ path: Type.String(), applied: Applied }))),
});
export type DriftList = Static<typeof DriftList>;
export type DotfileTrouble = NonNullable<DriftList['troubles']>[number];

/** What to do about one dotfile that drifted. */
export const DriftRequest = Type.Object(
  {
    path: Type.String(),
    /** With a take: the version that it replaces; refused when something newer is there. */
    etag: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type DriftRequest = Static<typeof DriftRequest>;

/** `dotfile` is null where what was taken is the removal. */
export const TakenDrift = Type.Object({
  dotfile: Type.Union([Dotfile, Type.Null()]),
  applied: Applied,
  warnings: Type.Array(SaveWarning),
});
export type TakenDrift = Static<typeof TakenDrift>;

export const RestoredDrift = Type.Object({
  applied: Applied,
  /** The version that holds what was in the home. */
  keptVersion: Type.Optional(Type.Integer({ minimum: 1 })),
});
export type RestoredDrift = Static<typeof RestoredDrift>;

/** Response headers of `GET /v1/dotfiles/content`, beside `ETag`; `…/home` has neither that nor a version. */
export const dotfileHeaders = {
  kind: 'spoon-kind',
  mode: 'spoon-mode',
  version: 'spoon-version',
  modifiedMs: 'spoon-modified-ms',
} as const;
