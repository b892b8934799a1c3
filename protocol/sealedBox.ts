import { SpoonError } from './errors.ts';

/**
 * What a client seals for the service alone to open, byte by byte as in docs/formats.md, without the cipher: that is
 * libsodium's `crypto_box_seal` on both ends.
 *
 * `"SS" 01 02 | key id, 4 | sealed(length of use, 1 | use | value)`. The use is inside, so that a box made for one thing, and
 * seen by somebody on its way, cannot be handed in again as another that is easier to read.
 */

const magic = [0x53, 0x53, 0x01, 0x02] as const;
export const sealKeyIdBytes = 4;
export const sealedHeaderBytes = magic.length + sealKeyIdBytes;
/** An ephemeral public key and a tag. */
const boxOverheadBytes = 48;
const maxUseBytes = 255;

/** What a sealed value may be for. Each belongs to the part of Spoon that opens it. */
export type SealedUse = `secret/${string}` | `repository/${string}`;

/** @param keyId 8 hex digits */
export function sealedHeader(keyId: string): Uint8Array<ArrayBuffer> {
  const id = keyId.match(/[0-9a-f]{2}/g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  if (id.length !== sealKeyIdBytes) throw new Error(`${keyId} is no key id`);
  return Uint8Array.from([...magic, ...id]);
}

/** The key that a box names, and what is sealed in it. @throws SpoonError `seal-invalid` */
export function readSealed(box: Uint8Array): { keyId: string; sealed: Uint8Array } {
  if (box.length < sealedHeaderBytes + boxOverheadBytes + 1 || magic.some((byte, index) => box[index] !== byte)) {
    throw new SpoonError('seal-invalid');
  }
  const id = box.subarray(magic.length, sealedHeaderBytes);
  const keyId = Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { keyId, sealed: box.subarray(sealedHeaderBytes) };
}

export function packSealed(use: SealedUse, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(use);
  if (name.length > maxUseBytes) throw new Error(`the use ${use} is too long`);
  const content = new Uint8Array(1 + name.length + value.length);
  content[0] = name.length;
  content.set(name, 1);
  content.set(value, 1 + name.length);
  return content;
}

/** The value, as a part of `content`. @throws SpoonError `seal-invalid` when it was sealed for another use */
export function unpackSealed(content: Uint8Array, use: SealedUse): Uint8Array {
  const name = new TextEncoder().encode(use);
  const isMeant = content[0] === name.length && name.every((byte, index) => content[1 + index] === byte);
  if (!isMeant || content.length < 1 + name.length)
    throw new SpoonError('seal-invalid', 'It was sealed for another use.');
  return content.subarray(1 + name.length);
}

/** How long a box with a value of this length is, so that one that is too long is refused unopened. */
export function sealedLength(use: SealedUse, valueBytes: number): number {
  return sealedHeaderBytes + boxOverheadBytes + 1 + new TextEncoder().encode(use).length + valueBytes;
}
