import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RenderCredit } from './renderCredit.ts';

const question = /\x1b\[\?(\d+)\$p/;
const encoder = new TextEncoder();

function start() {
  const shown: number[] = [];
  const timers = new Set<() => void>();
  let seed = 1;
  const credit = new RenderCredit({
    random: () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed;
    },
    onShown: (offset) => shown.push(offset),
    after: (_, callback) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  });
  return { credit, shown, timers };
}

const line = `${'x'.repeat(99)}\n`;
const run = encoder.encode(line.repeat(700));

describe('RenderCredit', () => {
  it('asks within 64 KiB, after a line, and acknowledges when it is answered', () => {
    const { credit, shown } = start();
    const text = credit.show(run, run.length);
    const found = question.exec(text);
    assert.ok(found);
    assert.equal(text[found.index - 1], '\n');
    assert.equal(text.replace(question, ''), line.repeat(700));
    assert.equal(credit.takeAnswers(`a\x1b[?${found[1]};0$yb`), 'ab');
    assert.deepEqual(shown, [run.length]);
  });

  it('leaves answers alone that are not to its own questions', () => {
    const { credit, shown } = start();
    credit.show(run, run.length);
    assert.equal(credit.takeAnswers('\x1b[?2026;2$y'), '\x1b[?2026;2$y');
    assert.equal(credit.takeAnswers('\x1b[?1000001;0$y'), '\x1b[?1000001;0$y');
    assert.deepEqual(shown, []);
  });

  it('counts an answer once', () => {
    const { credit, shown } = start();
    const number = question.exec(credit.show(run, run.length))?.[1];
    credit.takeAnswers(`\x1b[?${number};0$y`);
    assert.equal(credit.takeAnswers(`\x1b[?${number};0$y`), `\x1b[?${number};0$y`);
    assert.equal(shown.length, 1);
  });

  it('takes output for drawn when no answer comes in time', () => {
    const { credit, shown, timers } = start();
    credit.show(run, run.length);
    for (const fire of [...timers]) fire();
    assert.deepEqual(shown, [run.length]);
  });

  it('settles earlier questions with a later answer, so that one lost answer costs nothing', () => {
    const { credit, shown, timers } = start();
    credit.show(run, run.length);
    const number = question.exec(credit.show(run, 2 * run.length))?.[1];
    credit.takeAnswers(`\x1b[?${number};0$y`);
    assert.deepEqual(shown, [2 * run.length]);
    assert.equal(timers.size, 0);
  });

  it('asks at the end of one endless line', () => {
    const { credit } = start();
    const endless = encoder.encode('y'.repeat(140_000));
    assert.match(credit.show(endless, endless.length), /y\x1b\[\?\d+\$p$/);
  });

  it('does not ask inside a string that never ends, and lets the output go on', () => {
    const { credit, shown } = start();
    const picture = encoder.encode(`\x1bPq${'~'.repeat(140_000)}`);
    assert.doesNotMatch(credit.show(picture, picture.length), question);
    assert.deepEqual(shown, [picture.length]);
  });

  it('forgets its questions with the connection', () => {
    const { credit, shown, timers } = start();
    const number = question.exec(credit.show(run, run.length))?.[1];
    credit.forgetQuestions();
    credit.takeAnswers(`\x1b[?${number};0$y`);
    assert.deepEqual(shown, []);
    assert.equal(timers.size, 0);
  });

  it('goes on in the middle of a character after a new connection', () => {
    const { credit } = start();
    const bytes = encoder.encode('\ufeff─');
    const first = credit.show(bytes.subarray(0, 4), 4);
    credit.forgetQuestions();
    assert.equal(first + credit.show(bytes.subarray(4), bytes.length), '\ufeff─');
  });

  it('starts a new character where output is missing', () => {
    const { credit } = start();
    credit.show(encoder.encode('─').subarray(0, 2), 2);
    credit.startOver();
    assert.equal(credit.show(encoder.encode('ab'), 9), 'ab');
  });

  it('never breaks a character or a sequence, however the bytes are cut', () => {
    const piece = fc.constantFrom(
      'plain ',
      '─',
      '🥄',
      '漢',
      '\n',
      '\x1b[38;2;1;2;3m',
      '\x1b]8;;https://e.org\x1b\\',
      '\x1b[0m',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 5, maxLength: 30 }),
        fc.array(fc.nat(9000), { maxLength: 40 }),
        (words, cuts) => {
          const { credit } = start();
          const text = words.join('').repeat(Math.ceil(80_000 / words.join('').length));
          const bytes = encoder.encode(text);
          const edges = [...new Set(cuts.map((cut) => (cut * 37) % bytes.length))].sort((a, b) => a - b);
          let shown = '';
          let from = 0;
          for (const edge of [...edges, bytes.length]) {
            shown += credit.show(bytes.subarray(from, edge), edge);
            from = edge;
          }
          assert.equal(shown.replaceAll(new RegExp(question, 'g'), ''), text);
        },
      ),
      { numRuns: 50 },
    );
  });
});
