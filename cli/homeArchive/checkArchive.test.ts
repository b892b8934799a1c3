import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { packTar } from '../../test/fixtures/packTar.fixture.ts';
import { checkArchive } from './checkArchive.ts';
import { findConflicts } from './findConflicts.ts';

/** As a network brings it: in pieces that end anywhere. */
async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

async function check(bytes: Buffer): Promise<{ passed: Buffer; files: number; bytes: number }> {
  const count = { files: 0, bytes: 0 };
  const passed: Uint8Array[] = [];
  for await (const chunk of checkArchive(inPieces(bytes), count)) passed.push(chunk.slice());
  return { passed: Buffer.concat(passed), ...count };
}

const good = { name: 'hostile/good', type: 'file', content: 'x' } as const;

describe('an archive for a home', () => {
  it('is passed on unchanged, with links wherever they lead and hard links to what is in it', async () => {
    const archive = await packTar(
      { name: './', type: 'directory' },
      { name: './a/', type: 'directory' },
      { name: './a/file', type: 'file', content: 'x'.repeat(3000) },
      { name: './a/twin', type: 'link', linkname: './a/file' },
      { name: 'away', type: 'symlink', linkname: '/etc/passwd' },
      { name: 'up', type: 'symlink', linkname: '../..' },
      { name: '..a/b..', type: 'file', content: 'y' },
    );
    assert.deepEqual(await check(archive), { passed: archive, files: 2, bytes: 3001 });
  });

  const hostile: [string, () => Promise<Buffer>, RegExp][] = [
    ['..', () => packTar(good, { name: 'a/../../b', type: 'file', content: 'x' }), /b: It leads out of the home/],
    ['an absolute path', () => packTar(good, { name: '/tmp/b', type: 'file', content: 'x' }), /It is an absolute path/],
    [
      'a file below a link',
      () =>
        packTar(
          good,
          { name: 'hostile/l', type: 'symlink', linkname: '../outside' },
          { name: 'hostile/l/b', type: 'file', content: 'x' },
        ),
      /hostile\/l\/b: It lies below a link/,
    ],
    [
      'a hard link out of the home',
      () => packTar(good, { name: 'hostile/h', type: 'link', linkname: '/etc/passwd' }),
      /h: It is an absolute path/,
    ],
    [
      'a hard link through a link',
      () =>
        packTar(
          good,
          { name: 'hostile/l', type: 'symlink', linkname: '..' },
          { name: 'hostile/h', type: 'link', linkname: 'hostile/l/b' },
        ),
      /It leads through a link/,
    ],
    ['a device', () => packTar(good, { name: 'hostile/null', type: 'character-device' }), /neither a file, a folder/],
    ['a pipe', () => packTar(good, { name: 'hostile/p', type: 'fifo' }), /neither a file, a folder/],
    [
      'another name for a sparse file',
      () => packTar(good, { name: 'hostile/s', type: 'file', content: 'x', pax: { 'GNU.sparse.name': '../../s' } }),
      /It leads out of the home/,
    ],
    ['half of it', async () => (await packTar({ ...good, content: 'y'.repeat(4000) })).subarray(0, 2048), /./],
    ['no archive', async () => Buffer.alloc(4096, 'no archive'), /cannot be read/],
    ['nothing', async () => Buffer.alloc(0), /cannot be read/],
  ];
  for (const [what, make, said] of hostile) {
    it(`is refused with ${what} (row 93)`, async () => {
      await assert.rejects(make().then(check), (error) => {
        assert.ok(error instanceof SpoonError && error.code.startsWith('archive-'), String(error));
        assert.match(error.message, said);
        return true;
      });
    });
  }
});

describe('what diff says of the new files and the home', () => {
  it('is read, whatever the names are', () => {
    const said = [
      'Only in /home/ada: Code',
      'Only in ./x: Files',
      'Files ./a and /home/ada/a differ',
      'Symbolic links ./l and /home/ada/l differ',
      'File ./d is a directory while file /home/ada/d is a regular file',
      'File ./s is a symbolic link while file /home/ada/s is a directory',
      'File ./p is a regular file while file /home/ada/p is a fifo',
      'Files ./x and /y and /home/ada/x and /y differ',
      'Files ./new',
      'line and /home/ada/new',
      'line differ',
    ].join('\n');
    assert.deepEqual(findConflicts(said), {
      unmovable: ['d', 's', 'new'],
      replaceable: ['a', 'l', 'p', 'x and /y'],
    });
    assert.deepEqual(findConflicts(''), { unmovable: [], replaceable: [] });
  });
});
