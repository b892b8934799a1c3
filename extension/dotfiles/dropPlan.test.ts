import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Candidate,
  excluder,
  freeName,
  outermost,
  planMove,
  planUpload,
  staysInside,
  type There,
} from './dropPlan.ts';

const existing = new Map([
  ['.bashrc', 'file'],
  ['.config', 'directory'],
  ['.config/nvim', 'directory'],
  ['.vimrc', 'symlink'],
] as const);

function plan(candidates: (Partial<Candidate> & { name: string })[], folder = '') {
  return planUpload(
    candidates.map((candidate) => ({ kind: 'file' as const, size: 1, ...candidate })),
    { folder, existing: (path) => there(path) },
  );
}

function there(path: string) {
  const kind = existing.get(path as '.bashrc');
  return kind && { kind, ...(kind === 'directory' ? {} : { dotfile: { etag: `of ${path}` } }) };
}

const paths = (placed: readonly { path: string }[]) => placed.map(({ path }) => path);

describe('planUpload', () => {
  it('tells new files from those that replace', () => {
    const { create, replace } = plan([{ name: '.bashrc' }, { name: '.zshrc' }, { name: '.vimrc' }]);
    assert.deepEqual(paths(create), ['.zshrc']);
    assert.deepEqual(paths(replace), ['.bashrc', '.vimrc']);
  });

  it('bases each on what is there while it is planned', () => {
    const { create, replace } = plan([{ name: '.bashrc' }, { name: '.zshrc' }]);
    assert.deepEqual([create[0]?.base, replace[0]?.base], ['create', { etag: 'of .bashrc' }]);
  });

  it('puts everything below the folder that it was dropped on', () => {
    assert.deepEqual(paths(plan([{ name: 'nvim/init.lua' }], '.config').create), ['.config/nvim/init.lua']);
  });

  it('takes the first of two with one name, as when two folders are dropped at once', () => {
    const { create, refused } = plan([{ name: 'nvim/init.lua' }, { name: 'nvim/init.lua' }]);
    assert.deepEqual([create.length, refused.length], [1, 1]);
  });

  const refusedRows: [why: string, candidate: Partial<Candidate> & { name: string }][] = [
    ['a file over the limit', { name: 'big', size: 10 * 1024 * 1024 + 1 }],
    ['a path of Spoon itself', { name: '.spoon/manifest.json' }],
    ['a checkout', { name: 'Code/api/main/x' }],
    ['a name that cannot be shown', { name: 'a\u0007b' }],
    ['a file where a folder is', { name: '.config' }],
    ['a folder where a file is', { name: '.bashrc', kind: 'directory' }],
  ];
  for (const [why, candidate] of refusedRows) {
    it(`refuses ${why} and takes the rest`, () => {
      const { create, refused } = plan([candidate, { name: 'ok' }]);
      assert.deepEqual(paths(create), ['ok']);
      assert.equal(refused.length, 1);
      assert.ok((refused[0]?.why.length ?? 0) > 10);
    });
  }

  it('has nothing to do for a folder that is there', () => {
    const { create, replace, refused } = plan([{ name: '.config', kind: 'directory' }]);
    assert.deepEqual([create.length, replace.length, refused.length], [0, 0, 0]);
  });

  it('composes decomposed names', () => {
    assert.deepEqual(paths(plan([{ name: 'cafe\u0301' }]).create), ['caf\u00e9']);
  });
});

describe('planMove', () => {
  const tree = new Map<string, There>([
    ['nvim', { kind: 'file' }],
    ['conf', { kind: 'directory', count: 81 }],
    ['conf/nvim', { kind: 'directory', count: 80 }],
    ['conf/one', { kind: 'directory', count: 1 }],
    ['one', { kind: 'symlink' }],
    ['other', { kind: 'directory', count: 1 }],
    ['conf/other', { kind: 'file' }],
    ['same', { kind: 'file' }],
    ['conf/same', { kind: 'symlink' }],
  ]);
  const moving = (from: readonly string[], folder: string) =>
    planMove(from, { folder, there: (path) => tree.get(path) });

  it('moves by name, outermost only, and skips what is there already', () => {
    assert.deepEqual(moving(['a/x', 'b', 'b/c', 'd/e'], 'd').moves, [
      { from: 'a/x', to: 'd/x', overwrite: false },
      { from: 'b', to: 'd/b', overwrite: false },
    ]);
  });

  it('refuses to move a folder into itself', () => {
    const { moves, refused } = moving(['a'], 'a/b');
    assert.equal(moves.length, 0);
    assert.equal(refused.length, 1);
  });

  it('replaces a file by a file, and never a folder by a file or a file by a folder', () => {
    const { moves, refused } = moving(['nvim', 'one', 'other', 'same'], 'conf');
    assert.deepEqual(moves, [{ from: 'same', to: 'conf/same', overwrite: true }]);
    assert.deepEqual(
      refused.map(({ why }) => why),
      [
        'conf/nvim is a folder with 80 dotfiles, which a file cannot replace. nvim was not moved.',
        'conf/one is a folder with 1 dotfile, which a file cannot replace. one was not moved.',
        'conf/other is a file, which a folder cannot replace. other was not moved.',
      ],
    );
  });

  it('moves to the home', () => {
    assert.deepEqual(moving(['a/b/c'], '').moves, [{ from: 'a/b/c', to: 'c', overwrite: false }]);
  });
});

describe('excluder', () => {
  it('knows names, and * for a part of one', () => {
    const isExcluded = excluder(['.git', '*.swp', 'cache*', 'a+b']);
    const names = ['.git', '.gitignore', '.bashrc.swp', 'cache2', 'my-cache', 'a+b', 'aab'];
    assert.deepEqual(names.filter(isExcluded), ['.git', '.bashrc.swp', 'cache2', 'a+b']);
  });
});

describe('staysInside', () => {
  const rows: [name: string, target: string, asFolder: boolean, asHome: boolean][] = [
    ['nvim/init.lua', 'lua/init.lua', true, true],
    ['nvim/a/b', '../c', true, true],
    ['nvim/a', '../c', false, true],
    ['nvim/a', '../nvim/c', false, true],
    ['nvim/a', '../../c', false, false],
    ['.bashrc', 'dotfiles/bashrc', false, true],
    ['.bashrc', '/home/ada/dotfiles/bashrc', false, false],
    ['.bashrc', 'C:\\dotfiles\\bashrc', false, false],
    ['a/b', './/c', true, true],
  ];
  for (const [name, target, asFolder, asHome] of rows) {
    it(`says of ${name} → ${target}: ${asFolder} in a folder, ${asHome} in a home`, () => {
      assert.deepEqual([staysInside(name, target, false), staysInside(name, target, true)], [asFolder, asHome]);
    });
  }
});

describe('outermost', () => {
  it('leaves out what goes along with its folder, and what is named twice', () => {
    assert.deepEqual(outermost(['a', 'a/b', 'ab', 'a', 'c/d']), ['a', 'ab', 'c/d']);
  });
});

describe('freeName', () => {
  it('counts like the Explorer, before the extension', () => {
    const taken = new Set(['.bashrc', 'x/init.lua', 'x/init copy.lua']);
    const isTaken = (path: string) => taken.has(path);
    assert.equal(freeName('.bashrc', isTaken), '.bashrc copy');
    assert.equal(freeName('x/init.lua', isTaken), 'x/init copy 2.lua');
  });
});
