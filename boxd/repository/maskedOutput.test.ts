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
    assert.deepEqual(passed(['swordfish'], '10 % swordfish\r', '20 %'), {
      early: '10 % ***\r',
      text: '10 % ***\r20 %',
    });
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
