import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import serialize from '@xterm/addon-serialize';
import headless from '@xterm/headless';
import fc from 'fast-check';
import { maxSnapshotBytes, replayRingBytes } from '../../protocol/limits.ts';
import { ByteRing } from './byteRing.ts';
import { OutputScanner } from './outputScanner.ts';
import { ScreenModel } from './screenModel.ts';

const size = { columns: 40, rows: 10 };

class Model {
  readonly ring = new ByteRing(replayRingBytes);
  readonly scanner = new OutputScanner();
  readonly screen = new ScreenModel({ ring: this.ring, scanner: this.scanner, size });

  print(text: string | Uint8Array): this {
    const bytes = Buffer.from(text);
    this.ring.write(bytes);
    this.scanner.scan(bytes);
    this.screen.onOutput();
    return this;
  }

  async picture(): Promise<string> {
    const { offset, bytes } = await this.screen.take();
    assert.equal(offset, this.ring.end);
    return bytes.toString('utf8');
  }

  [Symbol.dispose](): void {
    this.screen.close();
  }
}

/** What a person sees in a terminal of this size after these texts, scrollback and modes included. */
async function seen(texts: readonly string[], { columns, rows } = size): Promise<string> {
  const terminal = new headless.Terminal({ cols: columns, rows, scrollback: 5_000, allowProposedApi: true });
  const addon = new serialize.SerializeAddon();
  terminal.loadAddon(addon);
  for (const text of texts) await new Promise<void>((resolve) => terminal.write(text, resolve));
  const { active } = terminal.buffer;
  const result = JSON.stringify([addon.serialize(), active.type, active.cursorX, active.cursorY, terminal.modes]);
  terminal.dispose();
  return result;
}

describe('ScreenModel', () => {
  it('draws what was on the screen and above it, with colours, modes and title', async () => {
    using model = new Model();
    const text = `\x1b]0;build\x07${'line \x1b[31mred\x1b[0m\r\n'.repeat(50)}\x1b[?2004h\x1b[?25l\x1b[1;32mgreen `;
    const picture = await model.print(text).picture();
    assert.equal(await seen([picture]), await seen([text]));
    assert.ok(picture.startsWith('\x1b]0;build\x07'));
    assert.ok(picture.includes('\x1b[?25l'));
  });

  it('draws a full-screen program, and what was there before it', async () => {
    using model = new Model();
    const vim = '$ vim\r\n\x1b[?1049h\x1b[?1h\x1b=\x1b[?1006;1002h\x1b[2;9r\x1b[2J\x1b[5;3Hfive\x1b[9;1H\x1b[7mstatus';
    const picture = await model.print(vim).picture();
    assert.equal(await seen([picture]), await seen([vim]));
    // The region is not in what can be asked of a terminal: a line feed at its end shows it.
    const more = '\x1b[0m\x1b[9;1H\nmore';
    assert.equal(await seen([picture, more]), await seen([vim, more]));
    const left = '\x1b[?1049l';
    assert.equal(await seen([picture, left]), await seen([vim, left]));
  });

  it('asks nothing of the terminal that it is drawn in', async () => {
    using model = new Model();
    const questions = '\x1b[c\x1b[>c\x1b[5n\x1b[6n\x1b]10;?\x07\x1b]11;?\x1b\\\x1bP$qm\x1b\\\x1b[?2026$p\x1b[14t';
    const picture = await model.print(`a${questions}b`).picture();
    const terminal = new headless.Terminal({ allowProposedApi: true });
    const answers: string[] = [];
    terminal.onData((answer) => answers.push(answer));
    await new Promise<void>((resolve) => terminal.write(picture, resolve));
    terminal.dispose();
    assert.deepEqual(answers, []);
    assert.match(picture, /ab/);
  });

  it('knows what was drawn long before what the ring keeps', async () => {
    using model = new Model();
    const frame = '\x1b[?1049h\x1b[2J\x1b[1;1Hheader';
    model.print(frame);
    const clock = '\x1b[10;1H12:00:00';
    // A quarter of the ring at a time, with the pauses of a program that is no flood.
    for (let times = 0; times < 8; times++) {
      model.print(clock.repeat(Math.ceil(replayRingBytes / 4 / clock.length)));
      await model.picture();
    }
    assert.ok(model.ring.start > frame.length);
    assert.equal(await seen([await model.picture()]), await seen([frame, clock]));
  });

  it('is right again after a flood that it did not follow', async () => {
    using model = new Model();
    model.print('\x1b[?1049h\x1b[?1000h vim');
    await model.picture();
    model.print('\x1b[?1000l\x1b[?1049l');
    const flood = 'the quick brown fox\r\n';
    model.print(flood.repeat(replayRingBytes / 10));
    const picture = await model.print('$ ').picture();
    const lines = (await seen([picture])).split('\\r\\n');
    assert.ok(lines.length > 5_000, `${lines.length} lines`);
    assert.ok(!picture.includes('vim') && !picture.includes('\x1b[?1000h'));
    assert.equal(JSON.parse(await seen([picture]))[1], 'normal');
  });

  it('finds the screen of a full-screen program that began behind the gap', async () => {
    using model = new Model();
    model.print('before\r\n');
    await model.picture();
    model.print('flood\r\n'.repeat(replayRingBytes / 4));
    const picture = await model.print('\x1b[?1049h\x1b[2J\x1b[3;1Hless').picture();
    assert.equal(JSON.parse(await seen([picture]))[1], 'alternate');
    assert.match(JSON.parse(await seen([picture, '\x1b[?1049l']))[0], /flood/);
  });

  it('follows sizes where they changed', async () => {
    using model = new Model();
    model.print(`${'x'.repeat(35)}\r\n`);
    model.screen.resize({ columns: 60, rows: 12 });
    const wide = 'y'.repeat(55);
    const picture = await model.print(wide).picture();
    assert.equal(
      await seen([picture], { columns: 60, rows: 12 }),
      await seen([`${'x'.repeat(35)}\r\n${wide}`], { columns: 60, rows: 12 }),
    );
  });

  it('leaves out lines rather than grow without end', async () => {
    using model = new Model();
    const colours = Array.from({ length: 40 }, (_, column) => `\x1b[38;2;${column};9;200;48;2;${column};7;100mX`).join(
      '',
    );
    for (let line = 0; line < 2_000; line += 100) {
      model.print(`${colours}\r\n`.repeat(100));
      await model.picture();
    }
    const picture = await model.picture();
    assert.ok(picture.length <= maxSnapshotBytes);
    assert.ok(picture.split('\n').length > 200);
  });

  it('draws the same however the output is cut', async () => {
    const piece = fc.constantFrom(
      'plain ',
      '─',
      '漢',
      '\r\n',
      '\t',
      '\x1b[1;31m',
      '\x1b[0m',
      '\x1b[3;5H',
      '\x1b[K',
      '\x1b[2J',
      '\x1b[?1049h',
      '\x1b[?1049l',
      '\x1b[?25l',
      '\x1b[?1h',
      '\x1b7',
      '\x1b8',
      '\x1b[2;6r',
      '\x1b[r',
      '\x1b]0;t\x07',
      '\x1b[4 q',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 60 }), fc.nat(60), async (pieces, cut) => {
        using model = new Model();
        model.print(pieces.slice(0, cut).join(''));
        await model.picture();
        const picture = await model.print(pieces.slice(cut).join('')).picture();
        assert.equal(await seen([picture]), await seen([pieces.join('')]));
      }),
      { numRuns: 60 },
    );
  });
});
