import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import sodium from 'libsodium-wrappers';
import { kekIdBytes, keyBytes } from './envelope.ts';

/** Keys from keys. One key, one use: each gets a label of its own. */

const emptySalt = new Uint8Array();

/** HKDF-SHA256 with no salt: what goes in is uniformly random already. */
export function deriveKey(key: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, emptySalt, label, keyBytes));
}

/**
 * As {@link deriveKey}, in the form that node:crypto takes without making one of its own each time: 8 µs instead of 26 for a
 * name. It cannot be printed; OpenSSL clears its memory when it is collected.
 */
export function deriveKeyObject(key: Uint8Array, label: string): KeyObject {
  const bytes = deriveKey(key, label);
  const keyObject = createSecretKey(bytes);
  bytes.fill(0);
  return keyObject;
}

/** Must have resolved before {@link keyedHash} is called. */
export async function hashReady(): Promise<void> {
  await sodium.ready;
}

/** Keyed BLAKE2b-256 over the parts, one after the other. */
export function keyedHash(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const state = sodium.crypto_generichash_init(key, 32);
  for (const part of parts) sodium.crypto_generichash_update(state, part);
  return Buffer.from(sodium.crypto_generichash_final(state, 32));
}

/** What a root key gives: the key that wraps data keys, its public name, and the value that tells whether it is the right one. */
export interface KeyEncryptionKey {
  /** 8 hex digits. */
  readonly id: string;
  readonly key: KeyObject;
  readonly checkValue: Buffer;
}

export function deriveKeyEncryptionKey(root: Uint8Array): KeyEncryptionKey {
  const bytes = deriveKey(root, 'spoon/v1/kek');
  const id = keyedHash(bytes, Buffer.from('id')).subarray(0, kekIdBytes).toString('hex');
  const checkKey = deriveKey(root, 'spoon/v1/check');
  const checkValue = createHmac('sha256', checkKey).update('spoon-kcv-v1').digest();
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { id, key, checkValue };
}
