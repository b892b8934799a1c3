import type { DotfileKind } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { BlobContext } from '../keyring/envelope.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { DotfileRow, DotfileVersionRow } from '../store/tables.ts';
import type { TreeEntry } from './tree.ts';
import type { TreeRow } from './treeRows.ts';

/**
 * How a dotfile is sealed (docs/formats.md). Its head, in `path_enc`, holds the path and the hash of the current content and
 * is bound to the current version, kind and mode: a row whose columns were changed or rolled back does not open.
 */

/** Type bits of stat(2)'s st_mode, so that the kind is bound together with the mode. */
const typeBits: Readonly<Record<DotfileKind, number>> = { file: 0o100000, symlink: 0o120000, directory: 0o040000 };
const contentMacBytes = 32;

interface Sealable {
  readonly id: string;
  readonly version: number;
  readonly kind: DotfileKind;
  readonly mode: number;
}

function contextOf(userId: string, use: 'file' | 'name', { id, version, kind, mode }: Sealable): BlobContext {
  return { ownerId: userId, kind: use, objectId: id, version, mode: typeBits[kind] | mode };
}

export function sealContent(keyring: Keyring, userId: string, of: Sealable, bytes: Uint8Array): Promise<Uint8Array> {
  return keyring.seal(contextOf(userId, 'file', of), bytes);
}

/** @throws SpoonError `integrity-failure`, `key-unavailable` */
export async function openContent(keyring: Keyring, row: DotfileVersionRow): Promise<Uint8Array> {
  const [bytes] = await openContents(keyring, [row]);
  return orThrow(bytes);
}

/** In their order; one that is damaged is the error in its place. @throws SpoonError `key-unavailable` */
export async function openContents(
  keyring: Keyring,
  rows: readonly DotfileVersionRow[],
): Promise<(Uint8Array | SpoonError)[]> {
  const sealed = rows.map(({ user_id, dotfile_id, version, kind, mode, blob }) => {
    return { context: contextOf(user_id, 'file', { id: dotfile_id, version, kind, mode }), blob };
  });
  const opened = await keyring.openEach(sealed);
  return opened.map((bytes, index) => {
    const isWhole = bytes instanceof SpoonError || bytes.length === rows[index]?.size;
    return isWhole ? bytes : new SpoonError('integrity-failure');
  });
}

function orThrow<T>(one: T | SpoonError | undefined): T {
  if (one === undefined) throw new Error('Nothing was opened.');
  if (one instanceof SpoonError) throw one;
  return one;
}

export function sealHead(
  keyring: Keyring,
  userId: string,
  of: Sealable & { readonly path: HomePath; readonly content: string },
): Promise<Uint8Array> {
  const head = Buffer.concat([Buffer.from(of.content, 'hex'), Buffer.from(of.path, 'utf8')]);
  return keyring.seal(contextOf(userId, 'name', of), head);
}

/** The path of a row, once the row is known to be as it was written. @throws SpoonError `integrity-failure`, `key-unavailable` */
export async function openHead(keyring: Keyring, row: DotfileRow): Promise<HomePath> {
  return pathIn(await keyring.open(contextOf(row.user_id, 'name', row), row.path_enc), row);
}

/** @throws SpoonError `integrity-failure` */
function pathIn(head: Buffer, { content_mac }: TreeRow): HomePath {
  // A loop, as a list of 10,000 spends more on making views of 32 bytes than on looking at them.
  let differs = content_mac.length !== contentMacBytes || head.length < contentMacBytes;
  for (let index = 0; index < contentMacBytes; index++) differs ||= head[index] !== content_mac[index];
  if (differs) throw new SpoonError('integrity-failure');
  // It was parsed before it was sealed, and the seal says that it is the same.
  return head.toString('utf8', contentMacBytes) as HomePath;
}

export function pathMac(keyring: Keyring, userId: string, path: HomePath): Promise<Uint8Array> {
  return keyring.mac(userId, 'path', Buffer.from(path, 'utf8'));
}

export async function contentMac(keyring: Keyring, userId: string, bytes: Uint8Array): Promise<string> {
  return Buffer.from(await keyring.mac(userId, 'content', bytes)).toString('hex');
}

/**
 * `"v<version>-<mac8>"`. A version of a file never changes, so its number says all but whether the file is still the same one
 * and not a later one of that name: the id tells. Keyed by the content's hash, so that it lets nobody test a guess.
 * @param content keyed hash of the content, as hex
 */
export function etagOf({ id, version, content }: Pick<TreeEntry, 'id' | 'version' | 'content'>): string {
  const mac = (Number.parseInt(id.slice(0, 8), 16) ^ Number.parseInt(content.slice(0, 8), 16)) >>> 0;
  // The digit before the eight saves the padding, which costs more than all the rest.
  return `"v${version}-${(mac + 2 ** 32).toString(16).slice(1)}"`;
}

/** @throws SpoonError `integrity-failure`, `key-unavailable` */
export async function openEntry(keyring: Keyring, row: DotfileRow): Promise<TreeEntry> {
  const [entry] = await openEntries(keyring, row.user_id, [row]);
  return orThrow(entry);
}

/** In their order; a row that is damaged is the error in its place. @throws SpoonError `key-unavailable` */
export async function openEntries(
  keyring: Keyring,
  userId: string,
  rows: readonly TreeRow[],
): Promise<(TreeEntry | SpoonError)[]> {
  const heads = await keyring.openEach(
    rows.map((row) => ({ context: contextOf(userId, 'name', row), blob: row.path_enc })),
  );
  return rows.map((row, index) => {
    try {
      return entryOf(row, orThrow(heads[index]));
    } catch (error) {
      if (error instanceof SpoonError) return error;
      throw error;
    }
  });
}

/** @throws SpoonError `integrity-failure` */
function entryOf(row: TreeRow, head: Buffer): TreeEntry {
  const { id, version, kind, mode } = row;
  const path = pathIn(head, row);
  const content = head.toString('hex', 0, contentMacBytes);
  return {
    id,
    path,
    kind,
    mode,
    size: row.size,
    version,
    lastVersion: row.last_version,
    content,
    etag: etagOf({ id, version, content }),
    createdMs: row.created_ms,
    modifiedMs: row.modified_ms,
    drift: row.drift_version === null ? undefined : { version: row.drift_version, base: row.drift_base ?? undefined },
    secretsSilencedMs: row.secrets_silenced_ms ?? undefined,
  };
}
