import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { formatToken, parseToken, randomBase62, type TokenParts } from './tokenFormat.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const base62 = (length: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: length, maxLength: length });
const parts: fc.Arbitrary<TokenParts> = fc.record({
  kind: fc.constantFrom('u', 'a', 't'),
  id: base62(12),
  secret: base62(43),
});

describe('tokens', () => {
  it('are read back as they were made', () => {
    fc.assert(fc.property(parts, (token) => assert.deepEqual(parseToken(formatToken(token)), { ...token })));
  });

  it('have the checksum of another CRC-32', () => {
    fc.assert(
      fc.property(parts, (token) => {
        const text = formatToken(token);
        const end = text.lastIndexOf('_');
        let value = 0;
        for (const digit of text.slice(end + 1)) value = value * 62 + alphabet.indexOf(digit);
        assert.equal(value, crc32(text.slice(0, end)));
      }),
    );
  });

  it('are refused with any one character changed, left out or added', () => {
    fc.assert(
      fc.property(parts, fc.nat(), fc.constantFrom(...alphabet, '_', ' ', 'é'), (token, where, character) => {
        const text = formatToken(token);
        const at = where % text.length;
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        if (changed !== text) assert.equal(parseToken(changed), undefined);
        assert.equal(parseToken(text.slice(0, at) + text.slice(at + 1)), undefined);
        assert.equal(parseToken(text.slice(0, at) + character + text.slice(at)), undefined);
      }),
    );
  });

  it('are nothing else: any other text is no token', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(parseToken(text), undefined)));
    for (const text of ['', 'spn_', 'Bearer x', `spn_x_${'a'.repeat(12)}_${'b'.repeat(43)}_000000`]) {
      assert.equal(parseToken(text), undefined);
    }
  });
});

describe('randomBase62', () => {
  it('has the asked length and uses every digit about equally', () => {
    const text = randomBase62(62_000, (count) => randomBytes(count));
    assert.equal(text.length, 62_000);
    const counts = new Map<string, number>();
    for (const digit of text) counts.set(digit, (counts.get(digit) ?? 0) + 1);
    assert.equal(counts.size, 62);
    // 1,000 each on average, standard deviation 32: 300 off would be bad luck of 10^-20.
    for (const count of counts.values()) assert(Math.abs(count - 1_000) < 300);
  });

  it('skips bytes that would favour some digits', () => {
    const bytes = [255, 248, 0, 61, 62, 247];
    assert.equal(
      randomBase62(4, () => Uint8Array.from(bytes)),
      '0z0z',
    );
  });
});
