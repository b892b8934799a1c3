import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ErrorCode, SpoonError } from './errors.ts';
import { isPortable, parentsOf, parseHomePath, repairHomePath } from './homePath.ts';

/** Numbers are rows of the bad-input catalogue. */
const refused: readonly (readonly [row: number, path: string, code: ErrorCode])[] = [
  [1, '../etc/passwd', 'path-traversal'],
  [2, 'a/../../b', 'path-traversal'],
  [2, 'a/..', 'path-traversal'],
  [2, '.config/../.bashrc', 'path-traversal'],
  [3, '/etc/passwd', 'path-absolute'],
  [3, '/', 'path-absolute'],
  [4, '~/x', 'path-tilde'],
  [4, '~root/x', 'path-tilde'],
  [4, '~', 'path-tilde'],
  [5, 'a\0b', 'path-control-char'],
  [6, '..\\..\\x', 'path-backslash'],
  [6, 'C:\\x', 'path-backslash'],
  [6, '\\\\host\\share', 'path-backslash'],
  [8, 'a//b', 'path-not-canonical'],
  [8, 'a/./b', 'path-not-canonical'],
  [8, './a', 'path-not-canonical'],
  [8, 'a/', 'path-not-canonical'],
  [9, '', 'path-empty'],
  [9, '.', 'path-traversal'],
  [9, '..', 'path-traversal'],
  [10, 'a'.repeat(256), 'path-segment-too-long'],
  [10, `x/${'🥄'.repeat(64)}`, 'path-segment-too-long'],
  [11, `${'a'.repeat(250)}/`.repeat(4) + 'b'.repeat(30), 'path-too-long'],
  [11, Array.from({ length: 33 }, () => 'd').join('/'), 'path-too-deep'],
  [12, 'a\ud800', 'invalid-encoding'],
  [12, '\udc00b', 'invalid-encoding'],
  [13, 'cafe\u0301', 'path-not-nfc'],
  [16, 'a\nb', 'path-control-char'],
  [16, 'a\u001b[31mb', 'path-control-char'],
  [16, 'a\u007f', 'path-control-char'],
  [16, 'a\u0085', 'path-control-char'],
  [16, 'txt.\u202egnp', 'path-control-char'],
  [16, 'a\u2066b', 'path-control-char'],
  [17, '.spoon-tmp-x', 'path-reserved'],
  [17, 'a/.spoon-tmp-x/b', 'path-reserved'],
  [17, '.spoon/agent', 'path-reserved'],
  [17, '.spoon', 'path-reserved'],
  [18, 'Code/spoon/main/.git/config', 'path-not-managed'],
  [18, 'Code', 'path-not-managed'],
  [18, '.git/hooks/x', 'path-not-managed'],
  [18, '.config/repo/.git', 'path-not-managed'],
];

const accepted: readonly (readonly [row: number, path: string])[] = [
  [7, '%2e%2e%2fetc'],
  [10, 'a'.repeat(255)],
  [10, '🥄'.repeat(63)],
  [11, Array.from({ length: 32 }, () => 'd').join('/')],
  [11, `${'a'.repeat(255)}/${'b'.repeat(255)}/${'c'.repeat(255)}/${'d'.repeat(255)}`],
  [13, 'café'],
  [14, '.Bashrc'],
  [15, 'con'],
  [15, 'a '],
  [17, '.spoonrc'],
  [17, 'x/.spoon'],
  [18, 'code/x'],
  [18, '.gitconfig'],
  [18, '.config/git/ignore'],
  [0, '...'],
  [0, '..a'],
  [0, 'a~'],
  [0, ' leading space'],
  [0, 'name with # ? % + & = ; spaces'],
];

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'accepted';
  } catch (error) {
    assert(error instanceof SpoonError, String(error));
    return error.code;
  }
}

describe('parseHomePath', () => {
  for (const [row, path, code] of refused) {
    it(`refuses ${JSON.stringify(path).slice(0, 40)} with ${code} (row ${row})`, () => {
      assert.equal(
        codeOf(() => parseHomePath(path)),
        code,
      );
    });
  }
  for (const [row, path] of accepted) {
    it(`takes ${JSON.stringify(path).slice(0, 40)} as it is (row ${row})`, () => {
      assert.equal(parseHomePath(path), path);
    });
  }

  it('throws nothing but a SpoonError, and what it takes stays below the home, by another reading of paths', () => {
    const segment = fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '',
        '~',
        'a',
        '.config',
        'Code',
        '.git',
        '.spoon',
        '.spoon-tmp-1',
        '\u202e',
        'e\u0301',
        '\\',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.string({ maxLength: 300 }),
    );
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 40 }), (segments) => {
        const text = segments.join('/');
        if (codeOf(() => parseHomePath(text)) !== 'accepted') return;
        const resolved = posix.resolve('/home/ada', text);
        assert(resolved.startsWith('/home/ada/'));
        assert.equal(resolved, `/home/ada/${text}`);
        assert.equal(text, text.normalize('NFC'));
        assert(Buffer.byteLength(text) <= 1024);
        assert(Buffer.from(text).toString() === text);
        assert(text.split('/').every((part) => part !== '.git' && Buffer.byteLength(part) <= 255));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('repairHomePath', () => {
  const repaired: readonly (readonly [typed: string, path: string])[] = [
    ['~/.bashrc', '.bashrc'],
    ['./.bashrc', '.bashrc'],
    [' .bashrc ', '.bashrc'],
    ['/home/ada/.bashrc', '.bashrc'],
    ['.config//nvim/./init.lua', '.config/nvim/init.lua'],
    ['.config/nvim/', '.config/nvim'],
    ['cafe\u0301', 'café'],
    ['~/./x//', 'x'],
  ];
  for (const [typed, path] of repaired) {
    it(`makes ${path} of ${JSON.stringify(typed)}`, () => assert.equal(repairHomePath(typed, 'ada'), path));
  }
  for (const typed of ['/etc/passwd', '../x', 'a/../b', '~root/x', '/home/bob/x', '/home/ada', '']) {
    it(`leaves ${JSON.stringify(typed)} to be refused`, () => {
      assert.notEqual(
        codeOf(() => parseHomePath(repairHomePath(typed, 'ada'))),
        'accepted',
      );
    });
  }
  it('changes no path that is canonical already', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        fc.pre(text === text.trim() && codeOf(() => parseHomePath(text)) === 'accepted');
        assert.equal(repairHomePath(text, 'ada'), text);
      }),
    );
  });
});

describe('parentsOf', () => {
  it('names the folders above, outermost first', () => {
    assert.deepEqual(parentsOf(parseHomePath('a/b/c')), ['a', 'a/b']);
    assert.deepEqual(parentsOf(parseHomePath('a')), []);
  });
});

describe('isPortable', () => {
  for (const path of ['con', 'NUL.txt', 'a.', 'a ', 'x/aux', 'a:b', 'what?', 'com1.conf']) {
    it(`has a doubt about ${JSON.stringify(path)}`, () => assert.equal(isPortable(parseHomePath(path)), false));
  }
  for (const path of ['.bashrc', 'console', 'a.b', '.config/nvim/init.lua', 'com10']) {
    it(`is content with ${path}`, () => assert.equal(isPortable(parseHomePath(path)), true));
  }
});
