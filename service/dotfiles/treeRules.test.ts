import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DotfileKind } from '../../protocol/dotfiles.ts';
import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';
import { parseHomePath as at } from '../../protocol/homePath.ts';
import { maxFileBytes } from '../../protocol/limits.ts';
import { DotfileTree, type TreeEntry } from './tree.ts';
import {
  checkBytes,
  checkPlace,
  checkPrecondition,
  checkRemovalPrecondition,
  planMove,
  planRemoval,
  warningsFor,
} from './treeRules.ts';

function entry(path: string, kind: DotfileKind): TreeEntry {
  const numbers = { mode: 0o644, size: 0, version: 1, lastVersion: 1, createdMs: 1, modifiedMs: 1 };
  return { id: path, path: at(path), kind, content: '', etag: '"v1-00000000"', ...numbers };
}

/** `x` is a file, `x/` a folder with an entry, `x@` a symbolic link. */
function treeOf(...names: string[]): DotfileTree {
  return new DotfileTree(
    names.map((name) => {
      if (name.endsWith('/')) return entry(name.slice(0, -1), 'directory');
      return name.endsWith('@') ? entry(name.slice(0, -1), 'symlink') : entry(name, 'file');
    }),
  );
}

function outcome(work: () => unknown): ErrorCode | 'ok' {
  try {
    work();
    return 'ok';
  } catch (error) {
    assert(error instanceof SpoonError, String(error));
    return error.code;
  }
}

const tag = '"v3-0123abcd"';

describe('checkPrecondition (rows 44 and 45)', () => {
  const rows: readonly (readonly [
    what: string,
    current: string | undefined,
    headers: { ifMatch?: string; ifNoneMatch?: string },
    ErrorCode | 'ok',
  ])[] = [
    ['new file, nothing said', undefined, {}, 'ok'],
    ['new file, only if new', undefined, { ifNoneMatch: '*' }, 'ok'],
    ['new file, any version', undefined, { ifMatch: '*' }, 'ok'],
    ['new file, a version that is gone', undefined, { ifMatch: tag }, 'version-stale'],
    ['existing, nothing said', tag, {}, 'version-required'],
    ['existing, any version', tag, { ifMatch: '*' }, 'version-required'],
    ['existing, its version', tag, { ifMatch: tag }, 'ok'],
    ['existing, an older version', tag, { ifMatch: '"v2-0123abcd"' }, 'version-stale'],
    ['existing, a version with another mac', tag, { ifMatch: '"v3-0123abce"' }, 'version-stale'],
    ['existing, its version, weak', tag, { ifMatch: `W/${tag}` }, 'version-stale'],
    ['existing, only if new', tag, { ifNoneMatch: '*' }, 'file-exists'],
    ['existing, any version and only if new', tag, { ifMatch: '*', ifNoneMatch: '*' }, 'file-exists'],
    ['existing, its version and only if new', tag, { ifMatch: tag, ifNoneMatch: '*' }, 'file-exists'],
    ['unless it is this version', tag, { ifNoneMatch: tag }, 'etag-invalid'],
    ['garbage', tag, { ifMatch: 'garbage' }, 'etag-invalid'],
    ['empty', tag, { ifMatch: '' }, 'etag-invalid'],
    ['without quotes', tag, { ifMatch: 'v3-0123abcd' }, 'etag-invalid'],
    ['a list', tag, { ifMatch: `${tag}, "v4-0123abcd"` }, 'etag-invalid'],
    ['version 0', tag, { ifMatch: '"v0-0123abcd"' }, 'etag-invalid'],
    ['a huge version', tag, { ifMatch: `"v${'9'.repeat(30)}-0123abcd"` }, 'etag-invalid'],
    ['10 KiB', tag, { ifMatch: `"${'v'.repeat(10_240)}"` }, 'etag-invalid'],
    ['garbage for a new file', undefined, { ifMatch: 'x' }, 'etag-invalid'],
  ];
  for (const [what, current, headers, expected] of rows) {
    it(`${what}: ${expected}`, () =>
      assert.equal(
        outcome(() => checkPrecondition(current, headers)),
        expected,
      ));
  }
  it('tells the current version with a refusal', () => {
    for (const headers of [{}, { ifMatch: '"v1-00000000"' }, { ifNoneMatch: '*' }]) {
      assert.throws(
        () => checkPrecondition(tag, headers),
        (error: SpoonError) => error.extra.etag === tag,
      );
    }
  });
});

describe('checkRemovalPrecondition', () => {
  const rows: readonly (readonly [string | undefined, ErrorCode | 'ok'])[] = [
    [undefined, 'ok'],
    ['*', 'ok'],
    [tag, 'ok'],
    ['"v2-0123abcd"', 'version-stale'],
    [`W/${tag}`, 'version-stale'],
    ['x', 'etag-invalid'],
  ];
  for (const [ifMatch, expected] of rows) {
    it(`${ifMatch}: ${expected}`, () =>
      assert.equal(
        outcome(() => checkRemovalPrecondition(tag, ifMatch)),
        expected,
      ));
  }
});

describe('checkPlace (row 19)', () => {
  const tree = treeOf('file', 'link@', 'empty/', 'folder/file', 'deep/a/b/c');
  const rows: readonly (readonly [path: string, kind: DotfileKind, ErrorCode | 'ok'])[] = [
    ['new', 'file', 'ok'],
    ['file', 'file', 'ok'],
    ['file', 'symlink', 'ok'],
    ['file', 'directory', 'path-kind-conflict'],
    ['link', 'file', 'ok'],
    ['link', 'directory', 'path-kind-conflict'],
    ['empty', 'file', 'path-kind-conflict'],
    ['empty', 'symlink', 'path-kind-conflict'],
    ['empty', 'directory', 'ok'],
    ['folder', 'file', 'path-kind-conflict'],
    ['folder', 'symlink', 'path-kind-conflict'],
    ['folder', 'directory', 'ok'],
    ['deep/a', 'file', 'path-kind-conflict'],
    ['file/below', 'file', 'path-kind-conflict'],
    ['file/far/below', 'directory', 'path-kind-conflict'],
    ['link/below', 'file', 'path-kind-conflict'],
    ['empty/below', 'file', 'ok'],
    ['deep/a/b/d', 'file', 'ok'],
    ['files', 'file', 'ok'],
    ['fold', 'file', 'ok'],
  ];
  for (const [path, kind, expected] of rows) {
    it(`a ${kind} at ${path}: ${expected}`, () =>
      assert.equal(
        outcome(() => checkPlace(tree, at(path), kind)),
        expected,
      ));
  }
});

describe('checkBytes', () => {
  const rows: readonly (readonly [what: string, kind: DotfileKind, bytes: Uint8Array, ErrorCode | 'ok'])[] = [
    ['nothing', 'file', Buffer.alloc(0), 'ok'],
    ['any bytes', 'file', Buffer.from([0, 255, 10, 13]), 'ok'],
    ['10 MiB', 'file', Buffer.alloc(maxFileBytes), 'ok'],
    ['10 MiB and one (row 30)', 'file', Buffer.alloc(maxFileBytes + 1), 'body-too-large'],
    ['nothing', 'directory', Buffer.alloc(0), 'ok'],
    ['something', 'directory', Buffer.from('x'), 'request-invalid'],
    ['a target', 'symlink', Buffer.from('../other/file'), 'ok'],
    ['an absolute target', 'symlink', Buffer.from('/etc/profile'), 'ok'],
    ['1024 bytes', 'symlink', Buffer.alloc(1024, 'x'), 'ok'],
    ['1025 bytes', 'symlink', Buffer.alloc(1025, 'x'), 'link-target-invalid'],
    ['no target', 'symlink', Buffer.alloc(0), 'link-target-invalid'],
    ['a NUL', 'symlink', Buffer.from('a\0b'), 'link-target-invalid'],
    ['a newline', 'symlink', Buffer.from('a\n'), 'link-target-invalid'],
    ['an escape', 'symlink', Buffer.from('a\u001b[31m'), 'link-target-invalid'],
    ['invalid UTF-8', 'symlink', Buffer.from([0xc0, 0xae]), 'link-target-invalid'],
  ];
  for (const [what, kind, bytes, expected] of rows) {
    it(`${what} for a ${kind}: ${expected}`, () =>
      assert.equal(
        outcome(() => checkBytes(kind, bytes)),
        expected,
      ));
  }
});

describe('warningsFor (rows 14 and 15)', () => {
  const tree = treeOf('.bashrc', '.Config/app/x', 'Straße');
  const rows: readonly (readonly [path: string, warnings: string[]])[] = [
    ['.bashrc', []],
    ['.Bashrc', ['case-collision']],
    ['.zshrc', []],
    ['.config/other', ['case-collision']],
    ['.Config/other', []],
    ['.Config/APP/x', ['case-collision']],
    ['con', ['not-portable']],
    ['NUL.txt', ['not-portable']],
    ['.BASHRC ', ['not-portable']],
    ['.config/aux', ['case-collision', 'not-portable']],
  ];
  for (const [path, warnings] of rows) {
    it(`${path}: ${warnings.join(' and ') || 'none'}`, () => assert.deepEqual(warningsFor(tree, at(path)), warnings));
  }
});

describe('planRemoval', () => {
  const tree = treeOf('file', 'empty/', 'folder/a', 'folder/b/c', 'kept/', 'kept/x', 'folders/x');
  const rows: readonly (readonly [path: string, recursive: boolean, string[] | ErrorCode])[] = [
    ['file', false, ['file']],
    ['file', true, ['file']],
    ['empty', false, ['empty']],
    ['folder', false, 'path-kind-conflict'],
    ['folder', true, ['folder/a', 'folder/b/c']],
    ['folder/b', true, ['folder/b/c']],
    ['kept', false, 'path-kind-conflict'],
    ['kept', true, ['kept', 'kept/x']],
    ['absent', true, 'not-found'],
    ['fold', true, 'not-found'],
  ];
  for (const [path, recursive, expected] of rows) {
    it(`${path}${recursive ? ' with all below' : ''}: ${expected}`, () => {
      const plan = () => planRemoval(tree, at(path), recursive).map((gone) => String(gone.path));
      if (typeof expected === 'string') assert.equal(outcome(plan), expected);
      else assert.deepEqual(plan(), expected);
    });
  }
});

describe('planMove', () => {
  const tree = treeOf('file', 'other', 'link@', 'empty/', 'folder/a', 'folder/b/c', 'target/x', 'deep/folder/y');
  const rows: readonly (readonly [
    from: string,
    to: string,
    overwrite: boolean,
    { moves: string[]; replaced?: string[] } | ErrorCode,
  ])[] = [
    ['file', 'new', false, { moves: ['file > new'] }],
    ['file', 'far/away/new', false, { moves: ['file > far/away/new'] }],
    ['file', 'FILE', false, { moves: ['file > FILE'] }],
    ['file', 'file', false, { moves: [] }],
    ['absent', 'new', false, 'not-found'],
    ['absent', 'absent', false, 'not-found'],
    ['file', 'other', false, 'file-exists'],
    ['file', 'other', true, { moves: ['file > other'], replaced: ['other'] }],
    ['link', 'other', true, { moves: ['link > other'], replaced: ['other'] }],
    ['file', 'empty', true, 'path-kind-conflict'],
    ['file', 'folder', true, 'path-kind-conflict'],
    ['file', 'other/below', false, 'path-kind-conflict'],
    ['file', 'file/below', false, 'path-kind-conflict'],
    ['folder', 'folder/inner', false, 'path-kind-conflict'],
    ['folder/b', 'folder', true, 'path-kind-conflict'],
    ['folder', 'moved', false, { moves: ['folder/a > moved/a', 'folder/b/c > moved/b/c'] }],
    ['folder', 'folder2', false, { moves: ['folder/a > folder2/a', 'folder/b/c > folder2/b/c'] }],
    ['folder', 'file', true, 'path-kind-conflict'],
    ['folder', 'target', false, 'file-exists'],
    ['folder', 'target', true, { moves: ['folder/a > target/a', 'folder/b/c > target/b/c'], replaced: ['target/x'] }],
    ['empty', 'renamed', false, { moves: ['empty > renamed'] }],
    ['folder', `${'d/'.repeat(31)}d`, false, 'path-too-deep'],
    ['folder', `${'x'.repeat(255)}/`.repeat(4).slice(0, 1023), false, 'path-too-long'],
  ];
  for (const [from, to, overwrite, expected] of rows) {
    it(`${from} to ${to.slice(0, 20)}${overwrite ? ', replacing' : ''}`, () => {
      const plan = () => planMove(tree, { from: at(from), to: at(to), overwrite });
      if (typeof expected === 'string') {
        assert.equal(outcome(plan), expected);
        return;
      }
      const { moves, replaced } = plan();
      assert.deepEqual(
        moves.map((move) => `${move.entry.path} > ${move.to}`),
        expected.moves,
      );
      assert.deepEqual(
        replaced.map((gone) => String(gone.path)),
        expected.replaced ?? [],
      );
    });
  }
});
