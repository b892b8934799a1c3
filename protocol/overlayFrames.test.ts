import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { frame, readFrameBatches } from './overlayFrames.ts';

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function collect(bytes: Uint8Array, sizes: readonly number[] = [], maxBytes = 1 << 20): Promise<Buffer[]> {
  const frames: Buffer[] = [];
  for await (const batch of readFrameBatches(inPieces(bytes, sizes), maxBytes)) {
    frames.push(...batch.map((payload) => Buffer.from(payload)));
  }
  return frames;
}

const join = (payloads: readonly Uint8Array[]) => Buffer.concat(payloads.flatMap((payload) => frame(payload)));

describe('readFrameBatches', () => {
  it('gives back what was framed, however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 6 }),
        async (payloads, sizes) => {
          const frames = await collect(join(payloads), sizes);
          assert.deepEqual(
            frames,
            payloads.map((payload) => Buffer.from(payload)),
          );
        },
      ),
    );
  });

  it('refuses a stream that ends inside a frame, wherever', async () => {
    const whole = join([Buffer.from('abc'), Buffer.from('defg')]);
    for (let end = 1; end < whole.length; end++) {
      if (end === 7) continue;
      await assert.rejects(collect(whole.subarray(0, end), [3]), { code: 'request-invalid' }, `cut at ${end}`);
    }
    assert.equal((await collect(whole.subarray(0, 7))).length, 1);
  });

  it('refuses a frame that is too large by its header, before its bytes come', async () => {
    const header = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    await assert.rejects(collect(header, [], 1024), { code: 'request-invalid' });
    await assert.rejects(collect(join([Buffer.alloc(1025)]), [], 1024), { code: 'request-invalid' });
    assert.equal((await collect(join([Buffer.alloc(1024)]), [], 1024)).length, 1);
  });

  it('takes any bytes without hanging or throwing something else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
        await collect(bytes, [7], 64).catch((error) => assert.equal(error.code, 'request-invalid'));
      }),
    );
  });
});
