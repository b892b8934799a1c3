import { type Static, Type } from 'typebox';

/** A backup, byte by byte as in docs/formats.md: `"SB" 01 | length of the manifest, 4 | manifest | entries | MAC, 32`. */

const magic = [0x53, 0x42, 0x01] as const;
/** What comes before the manifest. */
export const backupHeadBytes = magic.length + 4;
export const backupMacBytes = 32;
/** A manifest has a few hundred bytes for each table. */
export const maxManifestBytes = 1024 * 1024;

/** Nothing secret, so that everybody who holds a backup can tell what it is and whether it is whole. */
export const BackupManifest = Type.Object({
  format: Type.Literal(1),
  createdMs: Type.Integer(),
  /** The version of Spoon that made it. */
  spoon: Type.String(),
  /** Number of the last migration. */
  schema: Type.Integer(),
  instanceId: Type.String(),
  /** Ids of the root keys that it needs, 8 hex digits each. */
  keys: Type.Array(Type.String()),
  /** In the order in which they follow. */
  entries: Type.Array(Type.Object({ name: Type.String(), bytes: Type.Integer({ minimum: 0 }), sha256: Type.String() })),
  /** How many, by table. */
  rows: Type.Record(Type.String(), Type.Integer()),
});
export type BackupManifest = Static<typeof BackupManifest>;

/** @param manifest as it is written */
export function packBackupHead(manifest: Uint8Array): Uint8Array {
  const head = new Uint8Array(backupHeadBytes + manifest.length);
  head.set(magic);
  new DataView(head.buffer).setUint32(magic.length, manifest.length);
  head.set(manifest, backupHeadBytes);
  return head;
}

/** The length of the manifest that follows; undefined: this is no backup, or one of a format that is not known. */
export function manifestLength(head: Uint8Array): number | undefined {
  if (head.length < backupHeadBytes || magic.some((byte, index) => head[index] !== byte)) return undefined;
  const length = new DataView(head.buffer, head.byteOffset, backupHeadBytes).getUint32(magic.length);
  return length > maxManifestBytes ? undefined : length;
}
