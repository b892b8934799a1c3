import { type Static, Type } from 'typebox';

/**
 * Files of the home as an editor sees them, checkouts included. Served by boxd as the user; what a terminal can do, these
 * can, and no more. Paths are relative to the home (`filePath.ts`).
 */

const closed = { additionalProperties: false } as const;
const path = Type.String({ maxLength: 4096 });
const time = Type.Integer({ minimum: 0 });

/** `other`: neither file nor folder, such as a FIFO, or a link to nowhere or out of the home. */
export const FileKind = Type.Union([Type.Literal('file'), Type.Literal('directory'), Type.Literal('other')]);
export type FileKind = Static<typeof FileKind>;

/** Of a link: what it leads to. */
export const FileStat = Type.Object({
  kind: FileKind,
  isLink: Type.Boolean(),
  size: Type.Integer({ minimum: 0 }),
  createdMs: time,
  modifiedMs: time,
  isWritable: Type.Boolean(),
  /** Names this content: another one once something has written the file. */
  version: Type.String({ maxLength: 128, pattern: '^[0-9a-z-]*$' }),
});
export type FileStat = Static<typeof FileStat>;

export const FolderEntry = Type.Object({
  name: Type.String({ maxLength: 255 }),
  kind: FileKind,
  isLink: Type.Boolean(),
});
export type FolderEntry = Static<typeof FolderEntry>;
export const FolderEntries = Type.Object({
  entries: Type.Array(FolderEntry),
  /** There are more than are listed. */
  truncated: Type.Boolean(),
});
export type FolderEntries = Static<typeof FolderEntries>;

export const FilePathRequest = Type.Object({ path }, closed);
export const FileMoveRequest = Type.Object({ from: path, to: path, overwrite: Type.Optional(Type.Boolean()) }, closed);
export type FileMoveRequest = Static<typeof FileMoveRequest>;

/** What a viewer of `/v1/files/watch` says: all folders that it wants to hear of, each time anew. */
export const WatchRequest = Type.Object({
  type: Type.Literal('watch'),
  folders: Type.Array(Type.Object({ path, recursive: Type.Boolean() }), { maxItems: 256 }),
});
export type WatchRequest = Static<typeof WatchRequest>;

export const FileChange = Type.Object({
  path,
  kind: Type.Union([Type.Literal('created'), Type.Literal('changed'), Type.Literal('deleted')]),
  /** As in {@link FileStat}, so that a window knows its own write again. */
  version: Type.Optional(Type.String({ maxLength: 128 })),
});
export type FileChange = Static<typeof FileChange>;

/** What boxd says there. */
export const watchMessages = {
  changes: Type.Object({ type: Type.Literal('changes'), changes: Type.Array(FileChange) }),
  /** More changed at once than is worth listing: look again at whatever is shown. */
  manyChanges: Type.Object({ type: Type.Literal('manyChanges') }),
  /** The folders asked for are watched now; `incomplete`: there are more of them than can be watched. */
  watching: Type.Object({ type: Type.Literal('watching'), folders: time, incomplete: Type.Boolean() }),
} as const;
export type WatchMessage = {
  [N in keyof typeof watchMessages]: Static<(typeof watchMessages)[N]>;
}[keyof typeof watchMessages];
