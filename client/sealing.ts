import type sodiumModule from 'libsodium-wrappers';
import { SpoonError } from '../protocol/errors.ts';
import { packSealed, type SealedUse, sealedHeader, sealKeyIdBytes } from '../protocol/sealedBox.ts';
import type { SealKey } from '../protocol/sealKeys.ts';
import type { ApiClient } from './apiClient.ts';

/** Seals values so that only the service can open them: not a proxy, not a log of requests, not this client afterwards. */

/** Where a client keeps the key it saw first for each service and account, as one text. */
export interface SealKeyPins {
  get(name: string): Promise<string | undefined>;
  set(name: string, key: string): Promise<void>;
}

export interface SealRequest {
  readonly api: ApiClient;
  readonly pins: SealKeyPins;
  /** Whose values: pins of two accounts at one service are apart. */
  readonly username: string;
  readonly use: SealedUse;
  /** Overwritten with zeros. */
  readonly value: Uint8Array;
}

let sodiumLoaded: Promise<typeof sodiumModule> | undefined;

/** 1 MB of WebAssembly, loaded when the first value is sealed. */
async function loadSodium(): Promise<typeof sodiumModule> {
  sodiumLoaded ??= import('libsodium-wrappers').then(async ({ default: sodium }) => {
    await sodium.ready;
    return sodium;
  });
  return sodiumLoaded;
}

/**
 * @returns the sealed value in base64, as the routes take it
 * @throws SpoonError `seal-key-changed` when the service has another key than the one seen first: a person must say whether
 *   that is expected, and then {@link trustSealKey} takes it
 */
export async function sealForService({ api, pins, username, use, value }: SealRequest): Promise<string> {
  const key = await api.call('sealKey');
  const name = pinName(api.url, username);
  const pinned = await pins.get(name);
  if (pinned === undefined) await pins.set(name, key.publicKey);
  else if (pinned !== key.publicKey) {
    throw new SpoonError('seal-key-changed', undefined, { extra: { keyId: key.keyId, publicKey: key.publicKey } });
  }
  return sealValue(key, use, value);
}

/**
 * Takes the key that the service has now in place of the one seen first. A person has said so.
 * @param shown the public key that the person was asked about
 * @throws SpoonError `seal-key-changed` when it is yet another one
 */
export async function trustSealKey(
  { api, pins, username }: Omit<SealRequest, 'use' | 'value'>,
  shown?: string,
): Promise<SealKey> {
  const key = await api.call('sealKey');
  if (shown !== undefined && key.publicKey !== shown) {
    throw new SpoonError('seal-key-changed', undefined, { extra: { keyId: key.keyId, publicKey: key.publicKey } });
  }
  await pins.set(pinName(api.url, username), key.publicKey);
  return key;
}

/** @param value is overwritten with zeros @throws SpoonError `service-answer-invalid` when id and key do not belong together */
export async function sealValue({ keyId, publicKey }: SealKey, use: SealedUse, value: Uint8Array): Promise<string> {
  const sodium = await loadSodium();
  const base64 = sodium.base64_variants.ORIGINAL;
  const key = sodium.from_base64(publicKey, base64);
  const header = sealedHeader(keyId);
  const id = sodium.crypto_generichash(32, key, null).subarray(0, sealKeyIdBytes);
  if (!header.subarray(-sealKeyIdBytes).every((byte, index) => byte === id[index])) {
    throw new SpoonError('service-answer-invalid', 'Its key for secrets does not fit the id it gives.');
  }
  const content = packSealed(use, value);
  value.fill(0);
  const sealed = sodium.crypto_box_seal(content, key);
  sodium.memzero(content);
  const box = new Uint8Array(header.length + sealed.length);
  box.set(header);
  box.set(sealed, header.length);
  return sodium.to_base64(box, base64);
}

function pinName(url: string, username: string): string {
  return `${url} ${username}`;
}
