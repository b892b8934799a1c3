import assert from 'node:assert/strict';
import { fstatSync, readSync, writeSync } from 'node:fs';
import { describe, it } from 'node:test';
import { openDescriptors } from '../testing/processFacts.ts';
import { closePipes, makePipes } from './realPipes.ts';

describe('makePipes', () => {
  it('makes three pipes every time, joined end to end, and keeps nothing open', async () => {
    const before = openDescriptors(process.pid);
    for (let round = 0; round < 100; round++) {
      const pipes = await makePipes();
      assert.ok(pipes, `round ${round}`);
      const { stdin, stdout, stderr } = pipes;
      const buffer = Buffer.alloc(10);
      for (const [writer, reader, text] of [
        [stdin.ours, stdin.childs, 'in'],
        [stdout.childs, stdout.ours, 'out'],
        [stderr.childs, stderr.ours, 'err'],
      ] as const) {
        assert.ok(fstatSync(writer).isFIFO() && fstatSync(reader).isFIFO());
        writeSync(writer, text);
        assert.equal(buffer.toString('utf8', 0, readSync(reader, buffer)), text);
      }
      closePipes(pipes, 'childs');
      // The helper's copies are gone too: this is the end of the output.
      assert.equal(readSync(stdout.ours, buffer), 0);
      closePipes(pipes, 'ours');
    }
    assert.ok(openDescriptors(process.pid) <= before + 3);
  });
});
