import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Decision,
  decideEntry,
  decideRemoval,
  type Observed,
  type Recorded,
  type Wanted,
} from './manifestDiff.ts';

const file = (over: Partial<Wanted> = {}): Wanted => ({ kind: 'file', mode: 0o644, size: 5, content: 'new', ...over });
const withBytes = file({ sha256: 'NEW' });
const link = (over: Partial<Wanted> = {}): Wanted => ({
  kind: 'symlink',
  mode: 0o777,
  size: 5,
  content: 'new',
  ...over,
});
const folder: Wanted = { kind: 'directory', mode: 0o755, size: 0, content: '' };
const recorded = (over: Partial<Recorded> = {}): Recorded => ({
  kind: 'file',
  content: 'old',
  mode: 0o644,
  size: 4,
  mtimeNs: '1',
  sha256: 'OLD',
  ...over,
});
const same = recorded({ content: 'new', size: 5, sha256: 'NEW' });
const there = (over: object = {}): Observed => ({ kind: 'file', size: 4, mtimeNs: '1', mode: 0o644, ...over });
const linked = (sha256: string): Observed => ({ kind: 'symlink', sha256, mtimeNs: '1' });
const missing: Observed = { kind: 'missing' };
const emptyFolder: Observed = { kind: 'directory', mode: 0o755, empty: true };
const fullFolder: Observed = { kind: 'directory', mode: 0o755, empty: false };
const refuse = (code: string) => (decision: Decision) => assert.equal(decision.act === 'refuse' && decision.code, code);
const is = (expected: Decision) => (decision: Decision) => assert.deepEqual(decision, expected);
const edit = { act: 'write', backup: 'edit' } as const;

describe('decideEntry', () => {
  const table: [string, Wanted, Recorded | undefined, Observed, (decision: Decision) => void][] = [
    ['writes what is missing', file(), undefined, missing, is({ act: 'write' })],
    ['writes what somebody deleted', file(), same, missing, is({ act: 'write' })],
    ['keeps what is as it left it', file(), same, there({ size: 5 }), is({ act: 'keep' })],
    ['sets a mode that changed in the home', file(), same, there({ size: 5, mode: 0o600 }), is({ act: 'setMode' })],
    [
      'sets a mode that changed in the overlay',
      file({ mode: 0o755 }),
      same,
      there({ size: 5 }),
      is({ act: 'setMode' }),
    ],
    ['writes new content over its own', withBytes, recorded(), there(), is({ act: 'write' })],
    [
      'reads what has the wanted size but is not its own',
      withBytes,
      undefined,
      there({ size: 5 }),
      is({ act: 'read' }),
    ],
    [
      'reads what has its old size but another time',
      withBytes,
      recorded(),
      there({ mtimeNs: '2' }),
      is({ act: 'read' }),
    ],
    ['adopts equal bytes', withBytes, undefined, there({ size: 5, sha256: 'NEW' }), is({ act: 'keep' })],
    [
      'adopts equal bytes, mode fixed',
      withBytes,
      undefined,
      there({ size: 5, sha256: 'NEW', mode: 0o600 }),
      is({ act: 'setMode' }),
    ],
    [
      'adopts what was only touched',
      file(),
      same,
      there({ size: 5, mtimeNs: '2', sha256: 'NEW' }),
      is({ act: 'keep' }),
    ],
    [
      'writes over what was only touched',
      withBytes,
      recorded(),
      there({ mtimeNs: '2', sha256: 'OLD' }),
      is({ act: 'write' }),
    ],
    ['keeps a hand edit aside', withBytes, recorded(), there({ mtimeNs: '2', sha256: 'MINE' }), is(edit)],
    [
      'keeps a hand edit of another size aside unread',
      withBytes,
      recorded(),
      there({ size: 99, mtimeNs: '2' }),
      is(edit),
    ],
    ['keeps a stranger’s file aside', withBytes, undefined, there({ size: 5, sha256: 'MINE' }), is(edit)],
    ['keeps a foreign link aside', withBytes, undefined, linked('X'), is({ act: 'write', backup: 'symlink' })],
    ['replaces its own link', withBytes, recorded({ kind: 'symlink', sha256: 'X' }), linked('X'), is({ act: 'write' })],
    ['takes the place of an empty folder', withBytes, undefined, emptyFolder, is({ act: 'write', clear: 'folder' })],
    ['refuses a folder with something in it', withBytes, undefined, fullFolder, refuse('path-kind-conflict')],
    ['refuses a FIFO, socket or device', withBytes, undefined, { kind: 'other' }, refuse('not-a-regular-file')],
    ['keeps an equal link', link({ sha256: 'X' }), undefined, linked('X'), is({ act: 'keep' })],
    [
      'keeps its own link unseen',
      link(),
      recorded({ kind: 'symlink', content: 'new', sha256: 'X' }),
      linked('X'),
      is({ act: 'keep' }),
    ],
    [
      'replaces a link that a person changed',
      link({ sha256: 'X' }),
      recorded({ kind: 'symlink', sha256: 'X' }),
      linked('Y'),
      is({ act: 'write', backup: 'symlink' }),
    ],
    ['keeps a file aside for a link', link({ sha256: 'X' }), undefined, there(), is(edit)],
    ['makes a folder', folder, undefined, missing, is({ act: 'write' })],
    ['keeps a folder', folder, undefined, fullFolder, is({ act: 'keep' })],
    ['sets a folder’s mode', { ...folder, mode: 0o700 }, undefined, fullFolder, is({ act: 'setMode' })],
    ['turns its own file into a folder', folder, recorded(), there(), is({ act: 'write', clear: 'file' })],
    ['refuses a folder where a person’s file is', folder, undefined, there(), refuse('path-kind-conflict')],
  ];
  for (const [name, wanted, was, observed, check] of table) it(name, () => check(decideEntry(wanted, was, observed)));
});

describe('decideRemoval', () => {
  const table: [string, Recorded, Observed, string][] = [
    ['what is gone', recorded(), missing, 'gone'],
    ['untouched', recorded(), there(), 'remove'],
    ['touched, to be read', recorded(), there({ mtimeNs: '2' }), 'read'],
    ['touched with equal bytes', recorded(), there({ mtimeNs: '2', sha256: 'OLD' }), 'remove'],
    ['edited', recorded(), there({ mtimeNs: '2', sha256: 'MINE' }), 'keep'],
    ['edited to another size', recorded(), there({ size: 9, mtimeNs: '2' }), 'keep'],
    ['become a link', recorded(), linked('X'), 'keep'],
    ['its own link', recorded({ kind: 'symlink', sha256: 'X' }), linked('X'), 'remove'],
    ['a changed link', recorded({ kind: 'symlink', sha256: 'X' }), linked('Y'), 'keep'],
    ['its own empty folder', recorded({ kind: 'directory' }), emptyFolder, 'remove'],
    ['a folder with something in it', recorded({ kind: 'directory' }), fullFolder, 'keep'],
    ['a folder that was there before', recorded({ kind: 'directory', found: true }), emptyFolder, 'keep'],
  ];
  for (const [name, was, observed, expected] of table) {
    it(`${expected}: ${name}`, () => assert.equal(decideRemoval(was, observed), expected));
  }
});
