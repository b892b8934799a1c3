import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MaskedOutput } from './maskedOutput.ts';

function passed(secrets: string[], ...chunks: (string | Buffer)[]): { text: string; early: string } {
  const out: Buffer[] = [];
  const output = new MaskedOutput(secrets, (chunk) => out.push(chunk));
  for (const chunk of chunks) output.add(Buffer.from(chunk as string));
  const early = Buffer.concat(out).toString();
  output.end();
  return { text: Buffer.concat(out).toString(), early };
}

describe('output that is kept', () => {
  it('loses a secret however it is cut into pieces (row 75)', () => {
    const line = 'token=swordfish-ä-1 done\n';
    const bytes = Buffer.from(line);
    for (let at = 1; at < bytes.length; at++) {
      const { text } = passed(['swordfish-ä-1'], bytes.subarray(0, at), bytes.subarray(at));
      assert.equal(text, 'token=*** done\n', `cut at ${at}`);
    }
    assert.equal(passed(['swordfish-ä-1'], ...[...line]).text, 'token=*** done\n');
  });

  it('loses it from a last line without an end, and from a rewritten one', () => {
    assert.equal(passed(['swordfish'], 'x sword', 'fish').text, 'x ***');
    assert.equal(passed(['swordfish'], '10 % swordfish\r', '20 %').text, '10 % ***\r20 %');
  });

  it('comes as it is printed, but for what may be the beginning of a secret', () => {
    assert.deepEqual(passed(['swordfish'], 'Continue? '), { early: 'Continue? ', text: 'Continue? ' });
    assert.deepEqual(passed(['swordfish'], 'the sword'), { early: 'the ', text: 'the sword' });
    assert.deepEqual(passed(['swordfish'], 'the sword', ' cut'), { early: 'the sword cut', text: 'the sword cut' });
  });

  it('loses secrets that begin, end or overlap with one another, at every cut', () => {
    const secrets = ['abcdefgh', 'abcdefghSECRET-TAIL', 'ghijklmnop'];
    const table: [string, string][] = [
      ['<abcdefgh>', '<***>'],
      ['<abcdefghSECRET-TAIL>', '<***>'],
      ['<abcdefghijklmnop>', '<***>'],
      ['<abcdefghSECRET>', '<***SECRET>'],
      ['<abcdefgh', '<***'],
    ];
    for (const [text, expected] of table) {
      for (let at = 0; at <= text.length; at++) {
        assert.equal(passed(secrets, text.slice(0, at), text.slice(at)).text, expected, `${text} cut at ${at}`);
      }
      assert.equal(passed(secrets, ...[...text]).text, expected, `${text} in single characters`);
    }
  });

  it('loses its base64 and URL forms across a cut, and passes other bytes as they are', () => {
    const secret = 'sword/fish+ä';
    const shown = `${Buffer.from(`x${secret}y`).toString('base64')} ${encodeURIComponent(secret)}`;
    for (let at = 0; at <= shown.length; at++) {
      const { text } = passed([secret], shown.slice(0, at), shown.slice(at));
      assert.ok(text.includes('***') && !text.includes('%2F'), `${text} cut at ${at}`);
      assert.ok(!Buffer.from(text.split(' ')[0] ?? '', 'base64').includes('fish'), text);
    }
    const bytes = Buffer.of(0xff, 0x00, 0x80, 0x73);
    const out: Buffer[] = [];
    const output = new MaskedOutput(['swordfish'], (chunk) => out.push(chunk));
    output.add(bytes);
    output.end();
    assert.deepEqual(Buffer.concat(out), bytes);
  });

  it('passes at once, byte for byte, where there is no secret', () => {
    const bytes = Buffer.of(0xff, 0x00, 0x61);
    const out: Buffer[] = [];
    new MaskedOutput([], (chunk) => out.push(chunk)).add(bytes);
    assert.deepEqual(out, [bytes]);
  });

  it('lets an endless line go', () => {
    const { early } = passed(['swordfish'], 'x'.repeat(300_000));
    assert.equal(early.length, 300_000);
  });
});
