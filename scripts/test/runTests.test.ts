import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { TestCounts } from './runTests.ts';

const imports = `import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { after, it } from 'node:test';
import { dirname } from 'node:path';
`;
const passes = `it('passes', () => {});`;
const fails = `it('passes', () => {}); it('fails', () => { throw new Error('always'); });`;
/** Fails the first time, and leaves a process behind that then would be in the way. */
const failsOnce = (marker: string): string => `it('fails once', () => {
  if (existsSync('${marker}')) return;
  const left = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  left.unref();
  writeFileSync('${marker}', String(left.pid));
  throw new Error('only now');
});`;

describe('running tests', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'spoon-runner-'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  async function runAll(
    files: Readonly<Record<string, string>>,
    { retries = 3, testMs = 60_000, fileMs = 60_000 } = {},
  ): Promise<TestCounts & { said: string }> {
    await rm(root, { recursive: true, force: true });
    await mkdir(join(root, 'temporary'), { recursive: true });
    await mkdir(join(root, 'tests'));
    for (const [name, code] of Object.entries(files)) {
      await writeFile(join(root, 'tests', `${name}.test.ts`), `${imports}${code}\n`);
    }
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'runTests.fixture.ts'), root, ...[retries, testMs, fileMs].map(String)],
      {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return { ...(JSON.parse(await readFile(join(root, 'counts.json'), 'utf8')) as TestCounts), said };
  }
  const counted = ({ said: _, ...counts }: TestCounts & { said: string }): Partial<TestCounts> => counts;

  it('counts what passes, is skipped and ran nothing', async () => {
    const { said, ...counts } = await runAll({ a: passes, b: `${passes} it.skip('is not run');`, c: '' });
    const expected = { passed: 2, failed: 0, skipped: 1, emptyFiles: ['tests/c.test.ts'] };
    assert.deepEqual(counts, { ...expected, failedFiles: [], flakyFiles: [] });
    assert.match(said, /✔ passes/);
    assert.doesNotMatch(said, /once more/);
  });

  it('runs a failed file once more by itself, shows both, and counts one that then passes as passed and flaky', async () => {
    const marker = join(root, 'marker');
    const result = await runAll({ good: passes, flaky: failsOnce(marker), bad: fails });
    assert.deepEqual(counted(result), {
      ...{ passed: 3, failed: 1, skipped: 0, emptyFiles: [] },
      ...{ failedFiles: ['tests/bad.test.ts'], flakyFiles: ['tests/flaky.test.ts'] },
    });
    assert.match(result.said, /Error: only now[\s\S]*flaky\.test\.ts failed; once more, by itself:[\s\S]*✔ fails once/);
    assert.equal(result.said.match(/✖ failing tests:/g)?.length, 3);
    // What the failed run has left is not in the way of the other, nor counted against it.
    const pid = await readFile(marker, 'utf8');
    await assert.rejects(access(`/proc/${pid}/exe`));
  });

  it('runs nothing again when more have failed than that', async () => {
    const markers = [1, 2, 3].map((number) => join(root, `marker${number}`));
    const files = Object.fromEntries(markers.map((marker, index) => [`flaky${index}`, failsOnce(marker)]));
    const result = await runAll(files, { retries: 2 });
    assert.deepEqual([result.passed, result.failed, result.flakyFiles], [0, 3, []]);
    assert.doesNotMatch(result.said, /once more/);
  });

  it('ends a test that hangs, and goes on with the next', async () => {
    const hangs = `it('hangs', () => new Promise((done) => setTimeout(done, 2_000)));`;
    const result = await runAll({ a: `${hangs} ${passes}` }, { retries: 0, testMs: 1_000 });
    assert.deepEqual([result.passed, result.failed, result.failedFiles], [1, 1, ['tests/a.test.ts']]);
    assert.match(result.said, /test timed out after 1000ms/);
  });

  it('ends a file that hangs', async () => {
    const hangs = 'await new Promise(() => setInterval(() => {}, 1000));';
    const result = await runAll({ a: hangs }, { retries: 0, fileMs: 2_000 });
    assert.deepEqual([result.passed, result.failed, result.failedFiles], [0, 1, ['tests/a.test.ts']]);
    assert.match(result.said, /tests\/a\.test\.ts took longer than 2 s and was ended/);
  });

  it('does not count a file as passed that ends badly after its last test', async () => {
    const result = await runAll({ ends: `${passes} after(() => process.exit(3));` }, { retries: 0 });
    assert.deepEqual(result.failedFiles, ['tests/ends.test.ts']);
  });
});
