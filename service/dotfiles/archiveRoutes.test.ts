import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packTar, type TarHeader } from 'modern-tar';
import { Check } from 'typebox/value';
import { maxArchiveBytes, maxFileBytes } from '../../protocol/limits.ts';
import { routes } from '../../protocol/routes.ts';
import { codeOf, TestApp } from './testApp.fixture.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'spoon-tar-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

type Entry = Partial<TarHeader> & { name: string; body?: string | Uint8Array };
const pack = (...entries: Entry[]): Promise<Uint8Array> =>
  packTar(
    entries.map(({ body = '', ...header }) => ({
      header: { type: 'file', size: Buffer.byteLength(body), ...header },
      body: header.type === undefined || header.type === 'file' ? body : undefined,
    })) as never,
  );

const importing = (app: TestApp, archive: Uint8Array, query = '') =>
  app.app.inject({
    method: 'POST',
    url: `/v1/dotfiles/import${query}`,
    payload: Buffer.from(archive),
    headers: { 'test-user': 'ada', 'content-type': 'application/x-tar' },
  });
const list = async (app: TestApp) =>
  (await app.users.reopen().list('ada')).dotfiles.map(({ path, kind, mode }) => `${path} ${kind} ${mode.toString(8)}`);

describe('archives', () => {
  it('made by tar come in whole, and go out as tar unpacks them', async (t) => {
    const app = await TestApp.open(t);
    const from = folderOf(t);
    const binary = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7919) % 256));
    const long = `${'d'.repeat(90)}/${'e'.repeat(120)}/${'ü'.repeat(60)}`;
    const files: readonly (readonly [path: string, bytes: string | Buffer, mode: number])[] = [
      ['.bashrc', '# a\r\n\ufeff', 0o644],
      ['.config/a b#%🥄.conf', binary, 0o640],
      ['-rf', 'x', 0o600],
      ['bin/run', '#!/bin/sh\n', 0o755],
      ['empty', '', 0o444],
      [long, 'deep', 0o664],
    ];
    for (const [path, bytes, mode] of files) {
      mkdirSync(dirname(join(from, path)), { recursive: true });
      writeFileSync(join(from, path), bytes, { mode });
      chmodSync(join(from, path), mode);
    }
    symlinkSync('.config/a b#%🥄.conf', join(from, 'link'));
    mkdirSync(join(from, 'kept'), { mode: 0o700 });
    mkdirSync(join(from, '.git'));
    writeFileSync(join(from, '.git/config'), 'never');

    for (const [format, flag] of [
      ['gnu', '-c'],
      ['pax', '-c'],
      ['gnu', '-cz'],
    ] as const) {
      const archive = execFileSync('tar', [`--format=${format}`, flag, '-C', from, '.'], { maxBuffer: 10_000_000 });
      const answer = await importing(app, archive);
      assert.equal(answer.statusCode, 200, answer.body);
      assert(Check(routes.importDotfiles.response, answer.json()));
      const { saved, unchanged, ignored } = answer.json();
      assert.equal(saved + unchanged, 8);
      assert.ok(ignored.includes('.git/config'));
    }
    const to = folderOf(t);
    const exported = await app.send('GET', '/v1/dotfiles/export');
    assert.equal(exported.headers['content-type'], 'application/x-tar');
    execFileSync('tar', ['-x', '-p', '-C', to], { input: exported.rawPayload });
    for (const [path, bytes, mode] of files) {
      assert.deepEqual(readFileSync(join(to, path)), Buffer.from(bytes), path);
      assert.equal(lstatSync(join(to, path)).mode & 0o777, mode, path);
    }
    assert.equal(readlinkSync(join(to, 'link')), '.config/a b#%🥄.conf');
    assert.equal(lstatSync(join(to, 'kept')).mode & 0o777, 0o700);
    const { versions } = (await app.send('GET', '/v1/dotfiles/history?path=.bashrc')).json();
    assert.deepEqual(
      versions.map(({ origin }: { origin: string }) => origin),
      ['import'],
    );
  });

  it('ask before they replace, and replace or keep as they are told', async (t) => {
    const app = await TestApp.open(t);
    await app.put('path=a', 'old');
    await app.put('path=same', 'same');
    const archive = await pack({ name: 'a', body: 'new' }, { name: 'same', body: 'same' }, { name: 'b', body: 'x' });
    const refused = await importing(app, archive);
    assert.equal(codeOf(refused), '412 file-exists');
    assert.equal(refused.json().count, 1);
    assert.deepEqual(await list(app), ['a file 644', 'same file 644']);
    const kept = (await importing(app, archive, '?existing=keep')).json();
    assert.deepEqual([kept.saved, kept.unchanged, kept.kept], [1, 1, ['a']]);
    assert.equal((await app.send('GET', '/v1/dotfiles/content?path=a')).body, 'old');
    const replaced = (await importing(app, archive, '?existing=replace')).json();
    assert.deepEqual([replaced.saved, replaced.unchanged], [1, 2]);
    assert.equal((await app.send('GET', '/v1/dotfiles/content?path=a')).body, 'new');
    assert.equal(codeOf(await importing(app, archive, '?existing=maybe')), '422 request-invalid');
  });

  it('say which of their files look like secrets', async (t) => {
    const app = await TestApp.open(t);
    const archive = await pack({ name: 'k', body: `x\n-----BEGIN ${'PRIVATE'} KEY-----` }, { name: 'a', body: 'x' });
    const { secrets } = (await importing(app, archive)).json();
    assert.deepEqual(secrets, [{ path: 'k', what: 'a private key', line: 2 }]);
  });

  const good: Entry = { name: 'good', body: 'x' };
  const refusals: readonly (readonly [what: string, code: string, entry: string | undefined, ...entries: Entry[]])[] = [
    ['a path out of the home', '422 archive-refused', '../x', { name: '../x' }],
    ['an absolute path', '422 archive-refused', '/etc/x', { name: '/etc/x' }],
    ['a path in Code', '422 archive-refused', 'Code/x', { name: 'Code/x' }],
    ['a hard link', '422 archive-refused', 'l', { name: 'l', type: 'link', linkname: 'good' }],
    ['a hard link out', '422 archive-refused', 'l', { name: 'l', type: 'link', linkname: '/etc/passwd' }],
    ['a device', '422 archive-refused', 'd', { name: 'd', type: 'block-device' }],
    ['a pipe', '422 archive-refused', 'p', { name: 'p', type: 'fifo' }],
    [
      'a file below a link',
      '422 archive-refused',
      'l/x',
      { name: 'l', type: 'symlink', linkname: '/etc' },
      { name: 'l/x' },
    ],
    [
      'the same the other way',
      '422 archive-refused',
      'l/x',
      { name: 'l/x' },
      { name: 'l', type: 'symlink', linkname: '/etc' },
    ],
    ['a file below a file', '422 archive-refused', 'good/x', { name: 'good/x' }],
    ['a name twice', '422 archive-refused', './good', { name: './good', body: 'y' }],
    ['a link to nowhere', '422 archive-refused', 'l', { name: 'l', type: 'symlink', linkname: '' }],
    ['a file below one that is here', '409 path-kind-conflict', 'there/x', { name: 'there/x' }],
    [
      'a file of more than 10 MiB',
      '422 archive-refused',
      'big',
      { name: 'big', body: new Uint8Array(maxFileBytes + 1) },
    ],
  ];
  it('are refused whole for one entry, by its name (row 93)', async (t) => {
    const app = await TestApp.open(t);
    await app.put('path=there', 'x');
    for (const [what, code, entry, ...entries] of refusals) {
      const answer = await importing(app, await pack(good, ...entries));
      assert.equal(codeOf(answer), code, what);
      assert.equal(answer.json().entry, entry, what);
    }
    assert.deepEqual(await list(app), ['there file 644']);
    assert.deepEqual(app.changes.length, 1);
  });

  it('are refused when they are none, cut short, damaged or too much (row 93)', async (t) => {
    const app = await TestApp.open(t);
    const archive = Buffer.from(await pack(good, { name: 'b', body: 'x'.repeat(5_000) }));
    const damaged = Buffer.from(archive);
    damaged[3] = 0x7a;
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
    for (const [what, code, bytes] of [
      ['nothing', '422 archive-invalid', Buffer.of()],
      ['text', '422 archive-invalid', Buffer.from('hello '.repeat(1000))],
      ['zeros', '422 archive-invalid', Buffer.alloc(4096)],
      ['cut in a file', '422 archive-invalid', archive.subarray(0, 3_000)],
      ['a wrong checksum', '422 archive-invalid', damaged],
      ['a cut gzip', '422 archive-invalid', gzipSync(archive).subarray(0, 60)],
      ['a broken gzip', '422 archive-invalid', Buffer.concat([Buffer.of(0x1f, 0x8b), archive])],
      ['a bomb', '413 archive-too-large', bomb],
      ['more than there may be', '413 archive-too-large', Buffer.alloc(maxArchiveBytes + 1)],
    ] as const) {
      assert.equal(codeOf(await importing(app, bytes)), code, what);
    }
    const many = await pack(...Array.from({ length: 10_001 }, (_, index) => ({ name: `f${index}` })));
    assert.equal(codeOf(await importing(app, many)), '413 archive-too-large');
    const folder = folderOf(t);
    writeFileSync(join(folder, 'x'), 'x');
    linkSync(join(folder, 'x'), join(folder, 'y'));
    const hard = await importing(app, execFileSync('tar', ['-c', '-C', folder, '.']));
    assert.equal(codeOf(hard), '422 archive-refused');
    assert.deepEqual(await list(app), []);
  });
});
