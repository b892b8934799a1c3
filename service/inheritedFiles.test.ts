import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

const listInChild = `
  import { execFileSync } from 'node:child_process';
  import { closeInheritedFiles } from ${JSON.stringify(import.meta.resolve('./inheritedFiles.ts'))};
  const ofChild = () => execFileSync('sh', ['-c', 'readlink /proc/self/fd/77 || echo none'], { encoding: 'utf8' }).trim();
  console.log(ofChild());
  closeInheritedFiles();
  console.log(ofChild());
`;

describe('files that the service inherits', () => {
  it('are not passed on to what it starts', async () => {
    // bash: a plain sh has descriptors of one digit only.
    const open = 'exec 77</ && exec "$0" --input-type=module -e "$1"';
    const { stdout } = await promisify(execFile)('bash', ['-c', open, process.execPath, listInChild]);
    assert.deepEqual(stdout.trim().split('\n'), ['/', 'none']);
  });
});
