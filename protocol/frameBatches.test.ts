import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { frame, readFrameBatches } from './overlayFrames.ts';

async function readAll(chunks: readonly Uint8Array[], maxBytes = 1000): Promise<Uint8Array[]> {
  const source = (async function* () {
    yield* chunks;
  })();
  const frames: Uint8Array[] = [];
  for await (const some of readFrameBatches(source, maxBytes)) frames.push(...some);
  return frames;
}

describe('readFrameBatches', () => {
  it('gives back every frame however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 }),
        async (payloads, cuts) => {
          const all = Buffer.concat(payloads.flatMap((payload) => frame(payload)));
          const chunks: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < all.length; turn++) {
            const length = cuts[turn % cuts.length] ?? 1;
            chunks.push(all.subarray(at, at + length));
            at += length;
          }
          const frames = await readAll(chunks);
          assert.deepEqual(
            frames.map((bytes) => Buffer.from(bytes)),
            payloads.map((bytes) => Buffer.from(bytes)),
          );
        },
      ),
    );
  });

  it('refuses a frame that is too large before it has arrived, and a stream that ends in one', async () => {
    const [header = new Uint8Array()] = frame(new Uint8Array(1001));
    await assert.rejects(readAll([header]), { code: 'request-invalid' });
    for (const cut of [
      [1, 0],
      [0, 0, 0, 5],
      [0, 0, 0, 5, 1],
    ]) {
      await assert.rejects(readAll([Uint8Array.from(cut)]), { code: 'request-invalid' }, String(cut));
    }
  });
});
