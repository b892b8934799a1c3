import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { maxEditedFileBytes, maxFolderEntries } from '../../protocol/limits.ts';
import { Files } from './files.ts';

describe('files of the home', () => {
  let folder: string;
  let home: string;
  let files: Files;
  const at = (path: string) => join(home, path);
  const text = async (path: string) => (await files.read(path)).bytes.toString();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spoon-files-'));
    home = join(folder, 'home');
    mkdirSync(at('Code/api/main/src'), { recursive: true });
    writeFileSync(at('Code/api/main/a.txt'), 'one\n');
    writeFileSync(join(folder, 'outside.txt'), 'secret');
    files = new Files(home);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are told with size and times in milliseconds, and read with their version', async () => {
    utimesSync(at('Code/api/main/a.txt'), 1_700_000_000.5, 1_700_000_000.5);
    const stat = await files.stat('Code/api/main/a.txt');
    assert.equal(stat.modifiedMs, 1_700_000_000_500);
    assert.deepEqual([stat.kind, stat.isLink, stat.size, stat.isWritable], ['file', false, 4, true]);
    const read = await files.read('Code/api/main/a.txt');
    assert.equal(read.stat.version, stat.version);
    assert.equal(read.bytes.toString(), 'one\n');
    assert.equal((await files.stat('')).kind, 'directory');
  });

  it('are saved on the version that was read and keep their mode', async () => {
    chmodSync(at('Code/api/main/a.txt'), 0o754);
    const { version } = await files.stat('Code/api/main/a.txt');
    const saved = await files.write('Code/api/main/a.txt', Buffer.from('two\n'), { version });
    assert.notEqual(saved.version, version);
    assert.equal(statSync(at('Code/api/main/a.txt')).mode & 0o777, 0o754);
    // The same size, a moment later: still another version.
    await assert.rejects(files.write('Code/api/main/a.txt', Buffer.from('six\n'), { version }), {
      code: 'version-stale',
    });
    assert.equal(await text('Code/api/main/a.txt'), 'two\n');
    assert.deepEqual(readdirSync(at('Code/api/main')), ['a.txt', 'src']);
  });

  it('are created where nothing is, and only there', async () => {
    await files.write('Code/api/main/new.txt', Buffer.from('n'), 'create');
    await assert.rejects(files.write('Code/api/main/new.txt', Buffer.from('m'), 'create'), { code: 'file-exists' });
    await assert.rejects(files.write('Code/api/none/new.txt', Buffer.from('m'), 'create'), { code: 'not-found' });
    await assert.rejects(files.write('gone', Buffer.from('m'), { version: 'x' }), { code: 'version-stale' });
    assert.equal(readFileSync(at('Code/api/main/new.txt'), 'utf8'), 'n');
  });

  it('are listed by kind, links by what they lead to, names that are not text left out', async () => {
    symlinkSync('a.txt', at('Code/api/main/link'));
    symlinkSync('src', at('Code/api/main/dirlink'));
    symlinkSync('loop', at('Code/api/main/loop'));
    symlinkSync('/etc/passwd', at('Code/api/main/out'));
    execFileSync('mkfifo', [at('Code/api/main/pipe')]);
    writeFileSync(Buffer.concat([Buffer.from(`${at('Code/api/main')}/bad`), Buffer.from([0xff])]), '');
    const { entries, truncated } = await files.list('Code/api/main');
    const found = Object.fromEntries(
      entries.map(({ name, kind, isLink }) => [name, `${kind}${isLink ? ' link' : ''}`]),
    );
    assert.deepEqual(found, {
      'a.txt': 'file',
      src: 'directory',
      link: 'file link',
      dirlink: 'directory link',
      loop: 'other link',
      out: 'other link',
      pipe: 'other',
    });
    assert.equal(truncated, false);
    assert.deepEqual((await files.list('Code/api/main/dirlink')).entries, []);
  });

  it('of a folder with too many are listed up to a limit, and it says so (row 27)', async () => {
    mkdirSync(at('crowd'));
    execFileSync('bash', ['-c', `cd "$0" && seq ${maxFolderEntries + 1} | xargs touch`, at('crowd')]);
    const { entries, truncated } = await files.list('crowd');
    assert.deepEqual([entries.length, truncated], [maxFolderEntries, true]);
  });

  it('are listed above folders that are too deep for a path, whose removal is refused by name (row 27)', async () => {
    const levels = Array(500).fill('deep').join('/');
    execFileSync('bash', ['-c', 'cd "$0" && for i in 1 2 3 4; do mkdir -p "$1" && cd "$1"; done', home, levels]);
    assert.deepEqual((await files.list('deep')).entries, [{ name: 'deep', kind: 'directory', isLink: false }]);
    await assert.rejects(files.remove('deep', true), { code: 'path-too-long' });
    assert.deepEqual(readdirSync(home).sort(), ['Code', 'deep']);
  });

  it('behind links are read and saved as long as they are in the home', async () => {
    symlinkSync('../main/a.txt', at('Code/api/main/link'));
    const stat = await files.stat('Code/api/main/link');
    assert.deepEqual([stat.kind, stat.isLink, stat.size], ['file', true, 4]);
    await files.write('Code/api/main/link', Buffer.from('three'), { version: stat.version });
    assert.equal(readFileSync(at('Code/api/main/a.txt'), 'utf8'), 'three');
    assert.ok(lstatSync(at('Code/api/main/link')).isSymbolicLink());

    symlinkSync(folder, at('up'));
    symlinkSync(join(folder, 'outside.txt'), at('Code/api/main/out'));
    assert.equal((await files.stat('Code/api/main/out')).kind, 'other');
    await assert.rejects(text('Code/api/main/out'), { code: 'path-through-symlink' });
    await assert.rejects(text('up/outside.txt'), { code: 'path-through-symlink' });
    await assert.rejects(files.write('Code/api/main/out', Buffer.from('x'), 'create'), {
      code: 'path-through-symlink',
    });
    assert.equal(readFileSync(join(folder, 'outside.txt'), 'utf8'), 'secret');
  });

  it('never leave the home by their path', async () => {
    for (const path of ['../outside.txt', 'Code/../../outside.txt', '/etc/passwd', 'a//b']) {
      await assert.rejects(text(path), { name: 'SpoonError' }, path);
      await assert.rejects(files.write(path, Buffer.from('x'), 'create'), { name: 'SpoonError' }, path);
      await assert.rejects(files.move({ from: path, to: 'x' }), { name: 'SpoonError' }, path);
    }
    await assert.rejects(files.remove('', true), { code: 'path-empty' });
  });

  it('that are no files are refused at once', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    await assert.rejects(text('pipe'), { code: 'not-a-regular-file' });
    await assert.rejects(files.write('pipe', Buffer.from('x'), { version: 'x' }), { code: 'not-a-regular-file' });
    await assert.rejects(files.copy({ from: 'pipe', to: 'pipe2' }), { code: 'not-a-regular-file' });
    await assert.rejects(text('Code'), { code: 'path-kind-conflict' });
    await assert.rejects(files.list('Code/api/main/a.txt'), { code: 'path-kind-conflict' });
    assert.equal((await files.stat('pipe')).kind, 'other');
    await assert.rejects(files.stat('Code/api/main/a.txt/below'), { code: 'not-found' });
  });

  it('that are too large are refused before they are read', async () => {
    writeFileSync(at('big'), '');
    truncateSync(at('big'), maxEditedFileBytes + 1);
    await assert.rejects(text('big'), { code: 'body-too-large' });
  });

  it('are renamed, over another only when asked', async () => {
    writeFileSync(at('b.txt'), 'b');
    await assert.rejects(files.move({ from: 'b.txt', to: 'Code/api/main/a.txt' }), { code: 'file-exists' });
    await files.move({ from: 'b.txt', to: 'Code/api/main/a.txt', overwrite: true });
    assert.equal(await text('Code/api/main/a.txt'), 'b');
    await files.move({ from: 'Code/api/main', to: 'Code/api/other' });
    assert.equal(await text('Code/api/other/a.txt'), 'b');
    await assert.rejects(files.move({ from: 'Code', to: 'Code/api/inside' }), { code: 'path-kind-conflict' });
    await assert.rejects(files.move({ from: 'nothing', to: 'x' }), { code: 'not-found' });
  });

  it('are copied with folders, modes and links as they are', async () => {
    chmodSync(at('Code/api/main/a.txt'), 0o755);
    symlinkSync('a.txt', at('Code/api/main/link'));
    await files.copy({ from: 'Code/api/main', to: 'copy' });
    assert.equal(statSync(at('copy/a.txt')).mode & 0o777, 0o755);
    assert.ok(lstatSync(at('copy/link')).isSymbolicLink());
    await files.copy({ from: 'copy/a.txt', to: 'copy/b.txt' });
    assert.equal(await text('copy/b.txt'), 'one\n');
    await assert.rejects(files.copy({ from: 'copy/a.txt', to: 'copy/b.txt' }), { code: 'file-exists' });
  });

  it('are deleted, folders with all in them only when asked, links never followed', async () => {
    symlinkSync(join(folder, 'outside.txt'), at('Code/out'));
    await assert.rejects(files.remove('Code', false), { code: 'folder-not-empty' });
    await files.remove('Code/out', false);
    assert.ok(existsSync(join(folder, 'outside.txt')));
    await files.createFolder('Code/new');
    await files.remove('Code/new', false);
    await files.remove('Code', true);
    assert.deepEqual(readdirSync(home), []);
    await assert.rejects(files.remove('Code', true), { code: 'not-found' });
  });
});
