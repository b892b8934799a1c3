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
]);
export type AppliedState = Static<typeof AppliedState>;

export const SaveWarning = Type.Union([Type.Literal('case-collision'), Type.Literal('not-portable')]);
export type SaveWarning = Static<typeof SaveWarning>;

export const Applied = Type.Object({
  state: AppliedState,
  /** For a person, where the state is not `applied` or `boxOff`. */
  detail: Type.Optional(Type.String()),
});
export type Applied = Static<typeof Applied>;

export const SaveResult = Type.Object({
  dotfile: Dotfile,
  applied: Applied,
  warnings: Type.Array(SaveWarning),
});
export type SaveResult = Static<typeof SaveResult>;

export const RemoveResult = Type.Object({ removed: Type.Integer({ minimum: 0 }), applied: Applied });
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

export const DotfileHistory = Type.Object({ path: Type.String(), versions: Type.Array(DotfileVersion) });
export type DotfileHistory = Static<typeof DotfileHistory>;

/** Response headers of `GET /v1/dotfiles/content`, beside `ETag`. */
export const dotfileHeaders = {
  kind: 'spoon-kind',
  mode: 'spoon-mode',
  version: 'spoon-version',
  modifiedMs: 'spoon-modified-ms',
} as const;
