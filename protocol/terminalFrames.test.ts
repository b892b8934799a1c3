import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SpoonError } from './errors.ts';
import { maxControlBytes, maxCreditBytes } from './limits.ts';
import { CreditWindow, parseControl } from './terminalFrames.ts';
import { clampSize } from './terminals.ts';

describe('parseControl', () => {
  for (const text of [
    '',
    '{',
    'null',
    '1',
    '"x"',
    '[]',
    '{}',
    '{"type":1}',
    '{"type":null}',
    'x'.repeat(maxControlBytes + 1),
  ]) {
    it(`refuses ${text.slice(0, 20) || 'nothing'}`, () => {
      assert.throws(() => parseControl(text), { code: 'request-invalid' });
    });
  }
  it('takes a message and leaves its fields alone', () => {
    assert.deepEqual(parseControl('{"type":"resize","columns":80,"x":[1]}'), { type: 'resize', columns: 80, x: [1] });
  });
  it('is not moved by names of the prototype', () => {
    const message = parseControl('{"type":"x","__proto__":{"polluted":true},"constructor":1}');
    assert.equal(Object.getPrototypeOf(message), Object.prototype);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
  it('throws nothing but a SpoonError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          assert.equal(typeof parseControl(text).type, 'string');
        } catch (error) {
          assert(error instanceof SpoonError);
        }
      }),
    );
  });
});

describe('CreditWindow', () => {
  it('lets as much go out as was granted, and more only after an acknowledgement', () => {
    const window = new CreditWindow(100, 4096);
    assert.equal(window.room, 4096);
    window.send(4096);
    assert.equal(window.room, 0);
    assert.equal(window.mayResume, false);
    window.acknowledge(100 + 2047);
    assert.equal(window.mayResume, false);
    window.acknowledge(100 + 2048);
    assert.equal(window.mayResume, true);
    assert.equal(window.sentOffset, 4196);
  });

  it('believes no number of the other side beyond what is possible', () => {
    const numbers = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 60),
    );
    const anything = fc.oneof(numbers, fc.string(), fc.constant(null), fc.constant(undefined), fc.constant({}));
    const step = fc.oneof(
      fc.record({ send: fc.integer({ min: 0, max: 100_000 }) }),
      fc.record({ acknowledge: anything }),
    );
    fc.assert(
      fc.property(anything, fc.array(step, { maxLength: 30 }), (credit, steps) => {
        const window = new CreditWindow(0, credit);
        const granted = window.room;
        assert(granted >= 1024 && granted <= maxCreditBytes);
        let sent = 0;
        for (const one of steps) {
          const before = window.room;
          if ('send' in one) {
            window.send(one.send);
            sent += one.send;
            assert.equal(window.room, before - one.send);
          } else {
            window.acknowledge(one.acknowledge);
            assert(window.room >= before, 'an acknowledgement is never taken back');
          }
          assert(window.room <= granted, 'no more than the credit is ever open');
          assert.equal(window.sentOffset, sent);
        }
      }),
    );
  });
});

describe('clampSize (row 64)', () => {
  const sizes: readonly (readonly [unknown, unknown, number, number])[] = [
    [0, 0, 2, 1],
    [-1, -1, 2, 1],
    [1e9, 1e9, 500, 300],
    [1.5, 24.9, 2, 24],
    ['a', {}, 80, 24],
    [Number.NaN, Number.POSITIVE_INFINITY, 80, 24],
    [undefined, null, 80, 24],
    [132, 43, 132, 43],
  ];
  for (const [columns, rows, wantedColumns, wantedRows] of sizes) {
    it(`makes ${wantedColumns} by ${wantedRows} of ${String(columns)} by ${String(rows)}`, () => {
      assert.deepEqual(clampSize({ columns, rows }), { columns: wantedColumns, rows: wantedRows });
    });
  }
});
