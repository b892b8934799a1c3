import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const binary = `node_modules/binary-${process.platform}-${process.arch}`;

// npm itself stands at the edge here: a registry that fails now and then cannot be had on purpose.
const npm = `
const { appendFileSync, mkdirSync, readFileSync, existsSync } = require('node:fs');
const before = existsSync('calls') ? readFileSync('calls', 'utf8').length : 0;
appendFileSync('calls', '.');
if (before + 1 >= Number(process.env.COMES_AT)) mkdirSync(${JSON.stringify(binary)}, { recursive: true });
`;

describe('the first step of every command', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'spoon-bootstrap-'));
  });
  after(() => rm(root, { recursive: true }));

  async function make(name: string): Promise<string> {
    const folder = join(root, name);
    await mkdir(join(folder, 'scripts'), { recursive: true });
    await cp(join(import.meta.dirname, 'bootstrap.mjs'), join(folder, 'scripts/bootstrap.mjs'));
    await writeFile(join(folder, 'npm.cjs'), npm);
    await writeFile(join(folder, 'hello.mjs'), "console.log('hello');\n");
    const packages = {
      [binary]: { optional: true, os: process.platform, cpu: [process.arch] },
      'node_modules/elsewhere': { optional: true, os: ['plan9'] },
      'node_modules/no-binary': { optional: true },
      'node_modules/for-a-newer-node': { optional: true, os: process.platform, engines: { node: '^90.1.0 || >=92' } },
    };
    await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
    return folder;
  }

  function run(folder: string, comesAt: number) {
    return spawnSync(process.execPath, ['scripts/bootstrap.mjs', 'hello.mjs'], {
      cwd: folder,
      env: { PATH: process.env.PATH, npm_execpath: join(folder, 'npm.cjs'), COMES_AT: String(comesAt) },
      encoding: 'utf8',
    });
  }
  const calls = async (folder: string): Promise<number> => (await readFile(join(folder, 'calls'), 'utf8')).length;

  it('installs once, and not again while the lock file stays the same', async () => {
    const folder = await make('well');
    for (let round = 0; round < 2; round++) {
      const { status, stdout } = run(folder, 1);
      assert.deepEqual([status, stdout], [0, 'hello\n']);
    }
    assert.equal(await calls(folder), 1);
  });

  it('asks again for a binary that npm left out without a word', async () => {
    const folder = await make('second');
    assert.equal(run(folder, 2).stdout, 'hello\n');
    assert.equal(await calls(folder), 2);
  });

  it('starts nothing without it, says its name, and tries again the next time', async () => {
    const folder = await make('never');
    const { status, stdout, stderr } = run(folder, 3);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, new RegExp(`binary-${process.platform}.*try again`));
    assert.ok(!existsSync(join(folder, 'node_modules/.spoon-lock')));
    assert.equal(run(folder, 3).stdout, 'hello\n');
  });
});
