import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteRing } from './byteRing.ts';

describe('ByteRing', () => {
  it('holds exactly the last bytes of whatever was written, at their offsets', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 12 }), (chunks) => {
        const ring = new ByteRing(32 * 1024);
        for (const chunk of chunks) ring.write(chunk);
        const all = Buffer.concat(chunks);
        assert.equal(ring.end, all.length);
        assert.ok(ring.end - ring.start >= Math.min(all.length, 16 * 1024));
        assert.ok(ring.end - ring.start <= 32 * 1024);
        assert.deepEqual(ring.copy(ring.start, ring.end), all.subarray(ring.start));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses offsets that it does not hold', () => {
    const ring = new ByteRing(16 * 1024);
    ring.write(Buffer.alloc(20_000));
    assert.throws(() => ring.copy(ring.start - 1, ring.end), RangeError);
    assert.throws(() => ring.copy(ring.start, ring.end + 1), RangeError);
  });
});
