import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SpoonError } from '../../protocol/errors.ts';
import {
  type BlobContext,
  blobOverheadBytes,
  dataKeyIdOf,
  kekIdOf,
  lengthPrefixed,
  openBlob,
  padName,
  sealBlob,
  unpadName,
  unwrapDataKey,
  wrapDataKey,
} from './envelope.ts';

const dataKey = { id: 'a0a1a2a3a4a5a6a7', key: createSecretKey(randomBytes(32)) };
const kek = { id: '01020304', key: createSecretKey(randomBytes(32)) };
const context: BlobContext = { ownerId: 'ada', kind: 'file', objectId: 'o1', version: 7, mode: 0o100600 };

function isRefused(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    assert(error instanceof SpoonError && error.code === 'integrity-failure', String(error));
    return true;
  }
}

describe('a blob', () => {
  it('gives back any bytes, with 40 more than they have', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (plaintext) => {
        const blob = sealBlob(dataKey, context, plaintext);
        assert.equal(blob.length, plaintext.length + blobOverheadBytes);
        assert.equal(blobOverheadBytes, 40);
        assert.equal(dataKeyIdOf(blob), dataKey.id);
        assert.deepEqual(openBlob(dataKey.key, context, blob), Buffer.from(plaintext));
      }),
    );
  });

  it('is never the same twice', () => {
    const blobs = Array.from({ length: 100 }, () => sealBlob(dataKey, context, Buffer.from('x')).toString('hex'));
    assert.equal(new Set(blobs).size, 100);
  });

  it('is refused with any single bit flipped: magic, version, algorithm, key id, nonce, ciphertext or tag', () => {
    const blob = sealBlob(dataKey, context, Buffer.from('short'));
    for (let bit = 0; bit < blob.length * 8; bit++) {
      const flipped = Buffer.from(blob);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert(
        isRefused(() => openBlob(dataKey.key, context, flipped)),
        `bit ${bit}`,
      );
    }
  });

  it('is refused cut short or with something behind it', () => {
    const blob = sealBlob(dataKey, context, Buffer.from('some bytes'));
    for (let length = 0; length < blob.length; length++) {
      assert(isRefused(() => openBlob(dataKey.key, context, blob.subarray(0, length))));
    }
    assert(isRefused(() => openBlob(dataKey.key, context, Buffer.concat([blob, Buffer.of(0)]))));
  });

  it('is refused for any other owner, kind, object, version or mode, and with any other key', () => {
    const blob = sealBlob(dataKey, context, Buffer.from('mine'));
    const others: Partial<BlobContext>[] = [
      { ownerId: 'bob' },
      { kind: 'name' },
      { kind: 'secret' },
      { kind: 'token' },
      { objectId: 'o2' },
      { version: 6 },
      { version: 8 },
      { mode: 0o100644 },
      { mode: 0o120600 },
      // The same letters, cut elsewhere.
      { ownerId: 'adaf', kind: 'file', objectId: '1' },
      { ownerId: 'ad', objectId: 'ao1' },
    ];
    for (const other of others) {
      assert(
        isRefused(() => openBlob(dataKey.key, { ...context, ...other }, blob)),
        JSON.stringify(other),
      );
    }
    assert(isRefused(() => openBlob(createSecretKey(randomBytes(32)), context, blob)));
  });

  it('takes no short tag, which Node would by default', () => {
    const blob = sealBlob(dataKey, context, Buffer.alloc(40));
    for (const tagBytes of [4, 8, 12, 15]) {
      assert(isRefused(() => openBlob(dataKey.key, context, blob.subarray(0, blob.length - 16 + tagBytes))));
    }
  });

  it('throws nothing but integrity-failure for any bytes', () => {
    const start = fc.constantFrom('', '5350', '53500101', '53500101a0a1a2a3a4a5a6a7', '535001ff');
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 80 }), (magic, rest) => {
        const bytes = Buffer.concat([Buffer.from(magic, 'hex'), rest]);
        assert(isRefused(() => openBlob(dataKey.key, context, bytes)));
      }),
    );
  });
});

describe('a wrapped data key', () => {
  const name = { ownerId: 'ada', id: dataKey.id };
  const bytes = randomBytes(32);

  it('opens for its owner and id only', () => {
    const wrapped = wrapDataKey(kek, name, bytes);
    assert.equal(kekIdOf(wrapped), kek.id);
    assert.deepEqual(unwrapDataKey(kek.key, name, wrapped), bytes);
    assert(isRefused(() => unwrapDataKey(kek.key, { ...name, ownerId: 'bob' }, wrapped)));
    assert(isRefused(() => unwrapDataKey(kek.key, { ...name, id: 'ffffffffffffffff' }, wrapped)));
    assert(isRefused(() => unwrapDataKey(createSecretKey(randomBytes(32)), name, wrapped)));
  });

  it('is refused with any bit flipped; a flip in the id names another key', () => {
    const wrapped = wrapDataKey(kek, name, bytes);
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      const flipped = Buffer.from(wrapped);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const isId = bit >= 32 && bit < 64;
      if (isId) assert.notEqual(kekIdOf(flipped), kek.id);
      else assert(isRefused(() => unwrapDataKey(kek.key, name, flipped)));
    }
  });
});

describe('padded names', () => {
  it('have a length in steps of 32 bytes, and come out as they went in', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (name) => {
        const padded = padName(name);
        assert.equal(padded.length % 32, 0);
        assert(padded.length > name.length && padded.length <= name.length + 32);
        assert.deepEqual(Buffer.from(unpadName(padded)), Buffer.from(name));
      }),
    );
  });
  for (const broken of ['', '00'.repeat(32), '80', `${'61'.repeat(31)}01`]) {
    it(`are refused as ${broken.slice(0, 8)}…`, () => assert(isRefused(() => unpadName(Buffer.from(broken, 'hex')))));
  }
});

describe('lengthPrefixed', () => {
  it('has different bytes for different lists', () => {
    const lists = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 5 }), fc.uint8Array({ maxLength: 5 })), {
      maxLength: 4,
    });
    const plain = (list: (string | Uint8Array)[]) =>
      JSON.stringify(list.map((field) => Buffer.from(field as string).toString('hex')));
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        assert.equal(lengthPrefixed(a).equals(lengthPrefixed(b)), plain(a) === plain(b));
      }),
    );
  });
});
