import sodium from 'libsodium-wrappers';
import { SpoonError } from '../../protocol/errors.ts';
import { sealedHeader, sealKeyIdBytes } from '../../protocol/sealedBox.ts';

/** The service's end of sealed values (docs/formats.md): X25519 pairs, and `crypto_box_seal_open`. */

export interface SealKeyPair {
  /** 8 hex digits. */
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** A new pair. */
export async function makeSealKeyPair(): Promise<SealKeyPair> {
  await sodium.ready;
  return pairOf(sodium.crypto_box_keypair().privateKey);
}

/** The pair of a stored private key. The public half is computed, so that nobody can have put another one beside it. */
export async function sealKeyPair(privateKey: Uint8Array): Promise<SealKeyPair> {
  await sodium.ready;
  if (privateKey.length !== sodium.crypto_box_SECRETKEYBYTES) throw new SpoonError('integrity-failure');
  return pairOf(privateKey);
}

function pairOf(privateKey: Uint8Array): SealKeyPair {
  const publicKey = sodium.crypto_scalarmult_base(privateKey);
  const id = Buffer.from(sodium.crypto_generichash(32, publicKey, null).subarray(0, sealKeyIdBytes)).toString('hex');
  return { id, publicKey, privateKey };
}

/** @throws SpoonError `seal-invalid` */
export function openSealedBox({ publicKey, privateKey }: SealKeyPair, sealed: Uint8Array): Uint8Array {
  try {
    return sodium.crypto_box_seal_open(sealed, publicKey, privateKey);
  } catch (cause) {
    throw new SpoonError('seal-invalid', undefined, { cause });
  }
}

/** What a client would have sealed, sealed anew for another pair, with its header. */
export function sealBox({ id, publicKey }: Pick<SealKeyPair, 'id' | 'publicKey'>, content: Uint8Array): Uint8Array {
  return Buffer.concat([sealedHeader(id), sodium.crypto_box_seal(content, publicKey)]);
}
