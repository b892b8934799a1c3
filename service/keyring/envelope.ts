import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { SpoonError } from '../../protocol/errors.ts';

/**
 * The sealed formats, byte by byte as in docs/formats.md, without any key management. Each starts with a magic and a version
 * byte; an unknown one is refused and never guessed at.
 */

/** Each has a key of its own. */
export const blobKinds = ['file', 'name', 'secret', 'token'] as const;

/** What a blob is bound to: moved to another owner, object, version, mode or use it does not open. */
export interface BlobContext {
  /** A user's id, or `system`. */
  readonly ownerId: string;
  readonly kind: (typeof blobKinds)[number];
  readonly objectId: string;
  /** 0 where the object has no versions. */
  readonly version: number;
  /** 0 where the object has no mode. */
  readonly mode: number;
}

const algorithm = 'aes-256-gcm';
const algorithmByte = 0x01;
const formatVersion = 0x01;
const nonceBytes = 12;
const tagBytes = 16;
export const keyBytes = 32;
/** Of the id of a data key and of a key-encryption key. */
export const dataKeyIdBytes = 8;
export const kekIdBytes = 4;

const blobMagic = Buffer.from('SP');
const wrapMagic = Buffer.from('SK');
const blobHeaderBytes = 4 + dataKeyIdBytes;
const wrapHeaderBytes = 4 + kekIdBytes;
/** What a blob has beyond its plaintext: header, nonce and tag. */
export const blobOverheadBytes = blobHeaderBytes + nonceBytes + tagBytes;

/** Fields as `u32 BE length, bytes`: no two lists of fields have the same bytes. */
export function lengthPrefixed(fields: readonly (string | Uint8Array)[]): Buffer {
  let length = 0;
  for (const field of fields) length += 4 + (typeof field === 'string' ? Buffer.byteLength(field) : field.length);
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (const field of fields) {
    const start = at + 4;
    if (typeof field === 'string') {
      at = start + out.write(field, start, 'utf8');
    } else {
      out.set(field, start);
      at = start + field.length;
    }
    out.writeUInt32BE(at - start, start - 4);
  }
  return out;
}

/** What the blobs of one owner and kind have in common; those that are opened in one go are of one. */
let lastStart: { readonly ownerId: string; readonly kind: string; readonly bytes: Buffer } | undefined;

function blobAadStart({ ownerId, kind }: BlobContext): Buffer {
  if (lastStart?.ownerId !== ownerId || lastStart.kind !== kind) {
    lastStart = { ownerId, kind, bytes: lengthPrefixed(['spoon.blob.v1', ownerId, kind]) };
  }
  return lastStart.bytes;
}

/** Length-prefixed: `"spoon.blob.v1"`, owner, kind, object, version as u64, mode as u32, the blob's header. */
function blobAad(context: BlobContext, header: Uint8Array): Buffer {
  const start = blobAadStart(context);
  const { objectId, version, mode } = context;
  const objectBytes = Buffer.byteLength(objectId);
  const out = Buffer.allocUnsafe(start.length + objectBytes + 28 + header.length);
  out.set(start);
  let at = out.writeUInt32BE(objectBytes, start.length);
  at += out.write(objectId, at, 'utf8');
  at = out.writeUInt32BE(8, at);
  at = out.writeUInt32BE(Math.floor(version / 2 ** 32), at);
  at = out.writeUInt32BE(version % 2 ** 32, at);
  at = out.writeUInt32BE(4, at);
  at = out.writeUInt32BE(mode, at);
  at = out.writeUInt32BE(header.length, at);
  out.set(header, at);
  return out;
}

function encrypt(key: KeyObject, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer[] {
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(aad);
  return [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
}

/** @param at where the nonce begins; the ciphertext and the tag follow it */
function decrypt(key: KeyObject, aad: Uint8Array, sealed: Uint8Array, at: number): Buffer {
  const start = at + nonceBytes;
  const end = sealed.length - tagBytes;
  // Without authTagLength Node takes tags of 4 bytes too, which are forged in 2^32 tries (DEP0182).
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(at, start), { authTagLength: tagBytes });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(end));
  // update() gives out bytes that nobody has vouched for yet: none of them leaves before final() has.
  const unchecked = decipher.update(sealed.subarray(start, end));
  try {
    // Only checks the tag: a stream cipher has nothing left to give out.
    decipher.final();
    return unchecked;
  } catch (cause) {
    unchecked.fill(0);
    throw new SpoonError('integrity-failure', undefined, { cause });
  }
}

function checkHeader(sealed: Uint8Array, magic: Buffer, shortestBytes: number): void {
  const isKnown =
    sealed.length >= shortestBytes &&
    sealed[0] === magic[0] &&
    sealed[1] === magic[1] &&
    sealed[2] === formatVersion &&
    sealed[3] === algorithmByte;
  if (!isKnown) throw new SpoonError('integrity-failure');
}

/**
 * `"SP" 01 01 | data key id, 8 | nonce, 12 | ciphertext | tag, 16`
 * @param nonce only for test vectors: two seals with one key and nonce give both plaintexts away
 */
export function sealBlob(
  { id, key }: { readonly id: string; readonly key: KeyObject },
  context: BlobContext,
  plaintext: Uint8Array,
  nonce: Uint8Array = randomBytes(nonceBytes),
): Buffer {
  const header = Buffer.concat([blobMagic, Buffer.of(formatVersion, algorithmByte), Buffer.from(id, 'hex')]);
  return Buffer.concat([header, nonce, ...encrypt(key, nonce, blobAad(context, header), plaintext)]);
}

/** The id of the data key that a blob names, 16 hex digits. @throws SpoonError `integrity-failure` */
export function dataKeyIdOf(blob: Uint8Array): string {
  checkHeader(blob, blobMagic, blobOverheadBytes);
  return Buffer.from(blob.buffer, blob.byteOffset + 4, dataKeyIdBytes).toString('hex');
}

/** Both name the same data key, in the same format. */
export function isOfSameKey(one: Uint8Array, other: Uint8Array): boolean {
  for (let index = 0; index < blobHeaderBytes; index++) if (one[index] !== other[index]) return false;
  return true;
}

/** @throws SpoonError `integrity-failure` for a blob that is not whole or not this context's */
export function openBlob(key: KeyObject, context: BlobContext, blob: Uint8Array): Buffer {
  checkHeader(blob, blobMagic, blobOverheadBytes);
  return decrypt(key, blobAad(context, blob.subarray(0, blobHeaderBytes)), blob, blobHeaderBytes);
}

export interface DataKeyName {
  readonly ownerId: string;
  /** 16 hex digits. */
  readonly id: string;
  /** What is wrapped is the key of the owner's hashes, beside this data key. */
  readonly isMacKey?: true;
}

function wrapAad({ ownerId, id, isMacKey }: DataKeyName): Buffer {
  return lengthPrefixed([isMacKey === true ? 'spoon.mac.v1' : 'spoon.dek.v1', ownerId, Buffer.from(id, 'hex')]);
}

/** `"SK" 01 01 | kek id, 4 | nonce, 12 | wrapped key, 32 | tag, 16`; the nonce as in {@link sealBlob}. */
export function wrapDataKey(
  kek: { readonly id: string; readonly key: KeyObject },
  name: DataKeyName,
  dataKey: Uint8Array,
  nonce: Uint8Array = randomBytes(nonceBytes),
): Buffer {
  const header = Buffer.concat([wrapMagic, Buffer.of(formatVersion, algorithmByte), Buffer.from(kek.id, 'hex')]);
  return Buffer.concat([header, nonce, ...encrypt(kek.key, nonce, wrapAad(name), dataKey)]);
}

/** The id of the key-encryption key that a wrapped key names, 8 hex digits. @throws SpoonError `integrity-failure` */
export function kekIdOf(wrapped: Uint8Array): string {
  checkHeader(wrapped, wrapMagic, wrapHeaderBytes + nonceBytes + keyBytes + tagBytes);
  return Buffer.from(wrapped.subarray(4, wrapHeaderBytes)).toString('hex');
}

/** @throws SpoonError `integrity-failure` */
export function unwrapDataKey(kek: KeyObject, name: DataKeyName, wrapped: Uint8Array): Buffer {
  checkHeader(wrapped, wrapMagic, wrapHeaderBytes + nonceBytes + keyBytes + tagBytes);
  const dataKey = decrypt(kek, wrapAad(name), wrapped, wrapHeaderBytes);
  if (dataKey.length !== keyBytes) throw new SpoonError('integrity-failure');
  return dataKey;
}

const paddingStepBytes = 32;

/** To a multiple of 32 bytes with `80 00 …` (ISO/IEC 7816-4), so that the length of a sealed name says little. */
export function padName(name: Uint8Array): Buffer {
  const padded = Buffer.alloc((Math.floor(name.length / paddingStepBytes) + 1) * paddingStepBytes);
  padded.set(name);
  padded[name.length] = 0x80;
  return padded;
}

/** @throws SpoonError `integrity-failure` */
export function unpadName(padded: Buffer): Buffer {
  let end = padded.length - 1;
  while (padded[end] === 0) end--;
  if (end === -1 || padded[end] !== 0x80 || padded.length % paddingStepBytes !== 0) {
    throw new SpoonError('integrity-failure');
  }
  return padded.subarray(0, end);
}
