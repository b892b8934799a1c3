import assert from 'node:assert/strict';
import { argon2Sync, createPrivateKey, createPublicKey, createSecretKey, diffieHellman } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { readSealed, type SealedUse, unpackSealed } from '../../protocol/sealedBox.ts';
import { blake2b, blake2b256 } from './blake2b.fixture.ts';
import { deriveKey, deriveKeyEncryptionKey, hashReady, keyedHash } from './derive.ts';
import { type BlobContext, lengthPrefixed, openBlob, sealBlob, unwrapDataKey, wrapDataKey } from './envelope.ts';
import { openSealedBox, sealKeyPair } from './sealedBox.ts';
import { openBox } from './xsalsa20poly1305.fixture.ts';

/**
 * The formats of docs/formats.md against `vectors.json`, twice: by the code that Spoon runs, and by a second implementation
 * written from the document with other libraries (WebCrypto, and a BLAKE2b made from RFC 7693). It shares no code with the first.
 */
interface Vectors {
  rootKey: string;
  keyEncryptionKey: { id: string; key: string; checkValue: string };
  dataKey: { ownerId: string; id: string; key: string; nonce: string; wrapped: string };
  subkeys: Record<string, string>;
  blobs: { what: string; context: BlobContext; plaintext: string; nonce: string; blob: string }[];
  macs: { purpose: string; data: string; mac: string }[];
  sealed: {
    privateKey: string;
    publicKey: string;
    keyId: string;
    boxes: { use: SealedUse; value: string; box: string }[];
  };
  passphrase: { text: string; salt: string; rootKey: string };
}
const vectors: Vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8'));
const hex = (bytes: Uint8Array | ArrayBuffer | number[]) => Buffer.from(bytes as Uint8Array).toString('hex');
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('what Spoon runs', () => {
  before(hashReady);

  it('derives the keys of the vectors', () => {
    const kek = deriveKeyEncryptionKey(bytes(vectors.rootKey));
    assert.equal(kek.id, vectors.keyEncryptionKey.id);
    assert.equal(hex(kek.checkValue), vectors.keyEncryptionKey.checkValue);
    assert.equal(hex(deriveKey(bytes(vectors.rootKey), 'spoon/v1/kek')), vectors.keyEncryptionKey.key);
    for (const [use, key] of Object.entries(vectors.subkeys)) {
      assert.equal(hex(deriveKey(bytes(vectors.dataKey.key), `spoon/v1/${use}`)), key);
    }
  });

  it('wraps and unwraps the data key of the vectors', () => {
    const { ownerId, id, key, nonce, wrapped } = vectors.dataKey;
    const kek = deriveKeyEncryptionKey(bytes(vectors.rootKey));
    assert.equal(hex(wrapDataKey(kek, { ownerId, id }, bytes(key), bytes(nonce))), wrapped);
    assert.equal(hex(unwrapDataKey(kek.key, { ownerId, id }, bytes(wrapped))), key);
  });

  for (const { what, context, plaintext, nonce, blob } of vectors.blobs) {
    it(`seals and opens ${what}`, () => {
      const key = createSecretKey(bytes(vectors.subkeys[context.kind] ?? ''));
      assert.equal(hex(sealBlob({ id: vectors.dataKey.id, key }, context, bytes(plaintext), bytes(nonce))), blob);
      assert.equal(hex(openBlob(key, context, bytes(blob))), plaintext);
    });
  }

  it('hashes as the vectors', () => {
    for (const { purpose, data, mac } of vectors.macs) {
      assert.equal(hex(keyedHash(bytes(vectors.subkeys.mac ?? ''), lengthPrefixed([purpose]), bytes(data))), mac);
    }
  });

  it('opens the sealed values of the vectors', async () => {
    const { privateKey, publicKey, keyId, boxes } = vectors.sealed;
    const pair = await sealKeyPair(bytes(privateKey));
    assert.deepEqual([pair.id, hex(pair.publicKey)], [keyId, publicKey]);
    for (const { use, value, box } of boxes) {
      const { keyId: named, sealed } = readSealed(bytes(box));
      assert.equal(named, keyId);
      assert.equal(hex(unpackSealed(openSealedBox(pair, sealed), use)), value);
    }
  });

  it('makes the root key of the vectors from a text', () => {
    const { text, salt, rootKey } = vectors.passphrase;
    const parameters = { memory: 65_536, passes: 3, parallelism: 1, tagLength: 32 };
    assert.equal(hex(argon2Sync('argon2id', { message: text, nonce: bytes(salt), ...parameters })), rootKey);
  });
});

describe('a second implementation, from the document', () => {
  const { subtle } = globalThis.crypto;

  async function hkdf(key: Uint8Array<ArrayBuffer>, label: string): Promise<Uint8Array<ArrayBuffer>> {
    const material = await subtle.importKey('raw', key, 'HKDF', false, ['deriveBits']);
    const parameters = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(label) };
    return new Uint8Array(await subtle.deriveBits(parameters, material, 256));
  }

  async function openGcm(
    key: Uint8Array<ArrayBuffer>,
    nonce: Uint8Array<ArrayBuffer>,
    { aad, sealed }: { aad: Uint8Array<ArrayBuffer>; sealed: Uint8Array<ArrayBuffer> },
  ): Promise<string> {
    const imported = await subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
    const parameters = { name: 'AES-GCM', iv: nonce, additionalData: aad, tagLength: 128 };
    return hex(await subtle.decrypt(parameters, imported, sealed));
  }

  function fields(...list: Uint8Array[]): Uint8Array<ArrayBuffer> {
    const out: number[] = [];
    for (const field of list) out.push(...bigEndian(BigInt(field.length), 4), ...field);
    return Uint8Array.from(out);
  }

  function bigEndian(value: bigint, length: number): number[] {
    return Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 0xffn));
  }

  it('derives the key-encryption key, its id and its check value', async () => {
    const { id, key, checkValue } = vectors.keyEncryptionKey;
    const kek = await hkdf(bytes(vectors.rootKey), 'spoon/v1/kek');
    assert.equal(hex(kek), key);
    assert.equal(hex(blake2b256(kek, utf8('id'))).slice(0, 8), id);
    const check = await hkdf(bytes(vectors.rootKey), 'spoon/v1/check');
    const hmac = await subtle.importKey('raw', check, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    assert.equal(hex(await subtle.sign('HMAC', hmac, utf8('spoon-kcv-v1'))), checkValue);
  });

  it('unwraps the data key', async () => {
    const { ownerId, id, key, wrapped } = vectors.dataKey;
    const whole = bytes(wrapped);
    assert.equal(hex(whole.slice(0, 4)), '534b0101');
    assert.equal(hex(whole.slice(4, 8)), vectors.keyEncryptionKey.id);
    const aad = fields(utf8('spoon.dek.v1'), utf8(ownerId), bytes(id));
    const kek = bytes(vectors.keyEncryptionKey.key);
    assert.equal(await openGcm(kek, whole.slice(8, 20), { aad, sealed: whole.slice(20) }), key);
  });

  for (const { what, context, plaintext, blob } of vectors.blobs) {
    it(`opens ${what}`, async () => {
      const whole = bytes(blob);
      assert.equal(hex(whole.slice(0, 4)), '53500101');
      assert.equal(hex(whole.slice(4, 12)), vectors.dataKey.id);
      const aad = fields(
        utf8('spoon.blob.v1'),
        utf8(context.ownerId),
        utf8(context.kind),
        utf8(context.objectId),
        Uint8Array.from(bigEndian(BigInt(context.version), 8)),
        Uint8Array.from(bigEndian(BigInt(context.mode), 4)),
        whole.slice(0, 12),
      );
      const key = await hkdf(bytes(vectors.dataKey.key), `spoon/v1/${context.kind}`);
      assert.equal(await openGcm(key, whole.slice(12, 24), { aad, sealed: whole.slice(24) }), plaintext);
    });
  }

  it('hashes', async () => {
    const key = await hkdf(bytes(vectors.dataKey.key), 'spoon/v1/mac');
    for (const { purpose, data, mac } of vectors.macs) {
      assert.equal(hex(blake2b256(key, Uint8Array.from([...fields(utf8(purpose)), ...bytes(data)]))), mac);
    }
  });

  it('opens sealed values', () => {
    const { privateKey, publicKey, keyId, boxes } = vectors.sealed;
    // The fixed parts of RFC 8410's PKCS #8 and SubjectPublicKeyInfo for X25519.
    const x25519 = (key: string) =>
      createPublicKey({ key: Buffer.from(`302a300506032b656e032100${key}`, 'hex'), format: 'der', type: 'spki' });
    const own = createPrivateKey({
      key: Buffer.from(`302e020100300506032b656e04220420${privateKey}`, 'hex'),
      format: 'der',
      type: 'pkcs8',
    });
    assert.deepEqual(createPublicKey(own).export({ format: 'jwk' }), x25519(publicKey).export({ format: 'jwk' }));
    assert.equal(hex(blake2b(bytes(publicKey), { length: 32 })).slice(0, 8), keyId);
    for (const { use, value, box } of boxes) {
      assert.equal(box.slice(0, 16), `53530102${keyId}`);
      const ephemeral = box.slice(16, 80);
      const nonce = blake2b(bytes(ephemeral + publicKey), { length: 24 });
      const shared = diffieHellman({ privateKey: own, publicKey: x25519(ephemeral) });
      const content = openBox(shared, nonce, bytes(box.slice(80)));
      assert.equal(hex(content), hex([use.length]) + hex(utf8(use)) + value);
    }
  });
});
