import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Dotfile } from '../../protocol/dotfiles.ts';
import { DotfileIndex } from './dotfileIndex.ts';

function dotfile(path: string, version = 1, kind: Dotfile['kind'] = 'file'): Dotfile {
  const modifiedMs = version;
  return { id: path, path, kind, mode: 0o644, size: 1, version, etag: `"v${version}-x"`, modifiedMs, createdMs: 0 };
}

describe('DotfileIndex', () => {
  it('makes folders from paths and takes them away with the last thing in them', () => {
    const index = new DotfileIndex();
    assert.deepEqual(index.put(dotfile('.config/nvim/init.lua')).created, [
      '.config',
      '.config/nvim',
      '.config/nvim/init.lua',
    ]);
    assert.equal(index.get('.config/nvim')?.kind, 'directory');
    assert.deepEqual(index.remove('.config/nvim/init.lua').deleted, [
      '.config/nvim/init.lua',
      '.config/nvim',
      '.config',
    ]);
    assert.equal(index.get('.config'), undefined);
  });

  it('keeps a folder that is kept for its own sake', () => {
    const index = new DotfileIndex();
    index.put(dotfile('bin', 1, 'directory'));
    index.put(dotfile('bin/x'));
    assert.deepEqual(index.remove('bin/x').deleted, ['bin/x']);
    assert.equal(index.get('bin')?.kind, 'directory');
    assert.deepEqual(index.remove('bin').deleted, ['bin']);
  });

  it('removes a folder with all below it and nothing beside it', () => {
    const index = new DotfileIndex();
    for (const path of ['a/b/c', 'a/d', 'ab', 'a.b/c']) index.put(dotfile(path));
    index.remove('a');
    assert.deepEqual(
      index.all().map(({ path }) => path),
      ['ab', 'a.b/c'],
    );
  });

  it('sorts folders first and names as people do', () => {
    const index = new DotfileIndex();
    for (const path of ['z/1', '.zshrc', '.bashrc', 'file10', 'file9', 'README', 'readme2', '.config/x']) {
      index.put(dotfile(path));
    }
    assert.deepEqual(
      index.children('').map(({ name }) => name),
      ['.config', 'z', '.bashrc', '.zshrc', 'file9', 'file10', 'README', 'readme2'],
    );
  });

  it('says what a new list changes', () => {
    const index = new DotfileIndex();
    index.replace([dotfile('a'), dotfile('b'), dotfile('c/d')]);
    const change = index.replace([dotfile('a'), dotfile('b', 2), dotfile('e')]);
    assert.deepEqual(change, { created: ['e'], changed: ['b'], deleted: ['c/d', 'c'] });
  });

  it('is not taken back by an event that comes late', () => {
    const index = new DotfileIndex();
    index.put(dotfile('a', 3));
    assert.deepEqual(index.put(dotfile('a', 2)), { created: [], changed: [], deleted: [] });
    assert.equal(index.get('a')?.dotfile?.version, 3);
  });

  it('comes to the same tree by single changes as by a list', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
      .map((names) => `${names.join('/')}f`);
    fc.assert(
      fc.property(fc.array(fc.tuple(path, fc.boolean()), { maxLength: 30 }), (steps) => {
        const stepwise = new DotfileIndex();
        const present = new Set<string>();
        for (const [name, isPut] of steps) {
          if (isPut) stepwise.put(dotfile(name));
          else stepwise.remove(name);
          if (isPut) present.add(name);
          else
            for (const known of [...present]) if (known === name || known.startsWith(`${name}/`)) present.delete(known);
        }
        const whole = new DotfileIndex();
        whole.replace([...present].map((name) => dotfile(name)));
        assert.deepEqual(walk(stepwise, ''), walk(whole, ''));
      }),
    );
  });
});

function walk(index: DotfileIndex, folder: string): string[] {
  return index.children(folder).flatMap(({ path, kind }) => [path, ...(kind === 'directory' ? walk(index, path) : [])]);
}
