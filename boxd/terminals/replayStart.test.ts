import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteRing } from './byteRing.ts';
import { replayStart } from './replayStart.ts';

function ringOf(...chunks: (string | Uint8Array)[]): ByteRing {
  const ring = new ByteRing(16 * 1024);
  for (const chunk of chunks) ring.write(Buffer.from(chunk));
  return ring;
}

const cut = ringOf('x'.repeat(10_000), `${'y'.repeat(9_999)}\n`, 'last line');

describe('replayStart', () => {
  it('goes on at exactly the offset that a viewer asked for', () => {
    assert.deepEqual(replayStart(ringOf('hello'), 3), { offset: 3, missed: 0, reset: false, from: 3 });
    assert.deepEqual(replayStart(ringOf('hello'), 5), { offset: 5, missed: 0, reset: false, from: 5 });
    assert.deepEqual(replayStart(cut, cut.start), { offset: cut.start, missed: 0, reset: false, from: cut.start });
  });

  it('starts at the beginning while nothing is lost', () => {
    assert.deepEqual(replayStart(ringOf('hello'), undefined), { offset: 0, missed: 0, reset: false, from: 0 });
  });

  it('starts at a whole line behind what was lost, with the reset in the place of lost bytes', () => {
    assert.deepEqual(replayStart(cut, 5), { offset: 20_000 - 4, missed: 20_000 - 4 - 5, reset: true, from: 20_000 });
    assert.deepEqual(replayStart(cut, undefined), { offset: 19_996, missed: 19_996, reset: true, from: 20_000 });
  });

  it('starts at a whole letter where there is no line', () => {
    const euros = ringOf('€'.repeat(6_000));
    const { from } = replayStart(euros, undefined);
    assert.equal(from % 3, 0);
    assert.ok(from - euros.start < 8);
  });

  it('takes an offset that makes no sense for none', () => {
    for (const asked of [-1, 1.5, 1e9, Number.NaN, '3', null, {}]) {
      assert.equal(replayStart(ringOf('hello'), asked).offset, 0, String(asked));
    }
  });
});
