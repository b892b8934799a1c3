import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Check } from 'typebox/value';
import { routes } from '../../protocol/routes.ts';
import { codeOf, TestApp } from './testApp.fixture.ts';

describe('dotfile routes', () => {
  it('save, list, read, show the history and remove, in the forms of the route table', async (t) => {
    const app = await TestApp.open(t);
    const saved = await app.put('path=.config/a%20b&mode=600&origin=editor', Buffer.from([0, 255, 13, 10]));
    assert.equal(saved.statusCode, 200);
    assert(Check(routes.saveDotfile.response, saved.json()));
    const { dotfile } = saved.json();
    assert.deepEqual([dotfile.path, dotfile.mode, dotfile.size], ['.config/a b', 0o600, 4]);

    const list = await app.send('GET', '/v1/dotfiles');
    assert(Check(routes.listDotfiles.response, list.json()));
    assert.deepEqual(list.json(), { dotfiles: [dotfile] });

    const read = await app.send('GET', '/v1/dotfiles/content?path=.config/a%20b');
    assert.deepEqual(read.rawPayload, Buffer.from([0, 255, 13, 10]));
    assert.equal(read.headers.etag, dotfile.etag);
    const { 'spoon-kind': kind, 'spoon-mode': mode, 'spoon-version': version, 'spoon-modified-ms': ms } = read.headers;
    assert.deepEqual([kind, mode, version, ms], ['file', '600', '1', String(dotfile.modifiedMs)]);
    assert.equal(read.headers['content-type'], 'application/octet-stream');
    assert.equal(read.headers['cache-control'], 'no-store');
    assert.equal(read.headers['x-content-type-options'], 'nosniff');

    const history = await app.send('GET', '/v1/dotfiles/history?path=.config/a%20b');
    assert(Check(routes.dotfileHistory.response, history.json()));
    assert.equal(history.json().versions[0].origin, 'editor');

    const removed = await app.send('DELETE', '/v1/dotfiles?path=.config&recursive=true');
    assert(Check(routes.removeDotfile.response, removed.json()));
    assert.equal(removed.json().removed, 1);
    assert.equal(codeOf(await app.send('GET', '/v1/dotfiles/content?path=.config/a%20b')), '404 not-found');
  });

  it('read an older version with that version’s headers', async (t) => {
    const app = await TestApp.open(t);
    const first = await app.put('path=a', 'one');
    await app.put('path=a&mode=700', 'two', { 'if-match': first.json().dotfile.etag });
    const read = await app.send('GET', '/v1/dotfiles/content?path=a&version=1');
    assert.deepEqual(
      [read.body, read.headers.etag, read.headers['spoon-mode']],
      ['one', first.json().dotfile.etag, '644'],
    );
    assert.equal(codeOf(await app.send('GET', '/v1/dotfiles/content?path=a&version=9')), '404 not-found');
  });

  it('take symbolic links, folders and files of no bytes', async (t) => {
    const app = await TestApp.open(t);
    assert.equal((await app.put('path=link&kind=symlink', '../x')).json().dotfile.kind, 'symlink');
    assert.equal((await app.put('path=.ssh&kind=directory', '')).json().dotfile.mode, 0o700);
    assert.equal((await app.put('path=empty', '')).json().dotfile.size, 0);
  });

  it('tell the home and other windows after the commit, with the name of the window that wrote', async (t) => {
    const app = await TestApp.open(t);
    const headers = { 'spoon-client': 'window-1' };
    const saved = await app.put('path=a', 'x', headers);
    const { dotfile } = saved.json();
    assert.deepEqual(app.changes, [{ saved: ['a'] }]);
    assert.deepEqual(app.events, [
      { type: 'dotfile.saved', dotfile, clientId: 'window-1' },
      { type: 'dotfile.applied', path: 'a', applied: { state: 'applied' } },
    ]);

    app.events.length = 0;
    app.state = { state: 'boxOff' };
    const same = await app.put('path=a', 'x', { 'if-match': dotfile.etag });
    assert.deepEqual(same.json().applied, { state: 'boxOff' });
    assert.deepEqual(app.events, [], 'what is the same already is no news');

    app.state = { state: 'conflict', detail: 'edited by hand' };
    const moved = await app.send(
      'POST',
      '/v1/dotfiles/move',
      { from: 'a', to: 'b/c' },
      { 'spoon-client': 'bad client!' },
    );
    assert(Check(routes.moveDotfile.response, moved.json()));
    assert.deepEqual(moved.json().applied, app.state);
    assert.deepEqual(app.changes.at(-1), { saved: ['b/c'], removed: ['a'] });
    assert.deepEqual(app.events[0], {
      type: 'dotfile.moved',
      from: 'a',
      dotfile: moved.json().dotfiles[0],
      clientId: null,
    });

    app.events.length = 0;
    await app.send('DELETE', '/v1/dotfiles?path=b&recursive=true', undefined, headers);
    assert.deepEqual(app.events[0], { type: 'dotfile.removed', path: 'b/c', clientId: 'window-1' });
  });

  it('answer for a folder with what became of its worst file', async (t) => {
    const app = await TestApp.open(t);
    await app.put('path=f/a', 'x');
    await app.put('path=f/b', 'x');
    app.state = { state: 'refused', detail: 'a link leaves the home' };
    const removed = await app.send('DELETE', '/v1/dotfiles?path=f&recursive=true');
    const { dotfiles, ...rest } = removed.json();
    assert.deepEqual(rest, { removed: 2, applied: app.state });
    assert.deepEqual(
      dotfiles.map(({ path }: { path: string }) => path),
      ['f/a', 'f/b'],
    );
  });

  it('tell that what a move replaced is gone', async (t) => {
    const app = await TestApp.open(t);
    await app.put('path=from/a', 'x');
    await app.put('path=to/a', 'x');
    await app.put('path=to/b', 'x');
    app.events.length = 0;
    assert.equal(codeOf(await app.send('POST', '/v1/dotfiles/move', { from: 'from', to: 'to' })), '412 file-exists');
    await app.send('POST', '/v1/dotfiles/move', { from: 'from', to: 'to', overwrite: true });
    assert.deepEqual(app.changes.at(-1), { saved: ['to/a'], removed: ['from/a', 'to/b'] });
    assert.deepEqual(app.events.map(({ type }) => type).slice(0, 2), ['dotfile.removed', 'dotfile.moved']);
  });

  const refusals: readonly (readonly [
    what: string,
    answer: string,
    query: string,
    headers?: Record<string, string>,
  ])[] = [
    ['a path out of the home', '422 path-traversal', 'path=../x'],
    ['the same in escapes, which are decoded once (row 7)', '422 path-traversal', 'path=%2e%2e%2fetc'],
    ['a NUL in escapes (row 5)', '422 path-control-char', 'path=a%00b'],
    ['no path', '422 path-empty', 'path='],
    ['a mode with more bits', '422 mode-invalid', 'path=new&mode=04755'],
    ['a mode that is none', '422 mode-invalid', 'path=new&mode=abc'],
    ['a kind that is none', '422 request-invalid', 'path=new&kind=device'],
    ['an origin that is none', '422 request-invalid', 'path=new&origin=elsewhere'],
    ['drift, which nobody may claim', '422 request-invalid', 'path=new&origin=drift'],
    ['a folder with bytes', '422 request-invalid', 'path=new&kind=directory'],
    ['an existing file without its version', '428 version-required', 'path=there'],
    ['an existing file with any version', '428 version-required', 'path=there', { 'if-match': '*' }],
    ['an existing file with another version', '412 version-stale', 'path=there', { 'if-match': '"v9-00000000"' }],
    ['a weak version', '412 version-stale', 'path=there', { 'if-match': 'W/"v1-00000000"' }],
    ['a version that is none', '400 etag-invalid', 'path=there', { 'if-match': 'garbage' }],
    ['an existing file that must be new', '412 file-exists', 'path=there', { 'if-none-match': '*' }],
    ['a file below a file', '409 path-kind-conflict', 'path=there/below'],
  ];
  it('refuse what the rules refuse, and then nothing has changed', async (t) => {
    const app = await TestApp.open(t);
    await app.put('path=there', 'x');
    const before = (await app.send('GET', '/v1/dotfiles')).json();
    for (const [what, answer, query, headers] of refusals) {
      assert.equal(codeOf(await app.put(query, 'new', headers)), answer, what);
    }
    assert.deepEqual((await app.send('GET', '/v1/dotfiles')).json(), before);
    assert.equal(app.changes.length, 1);
  });

  it('make one version of a save that is sent again, and of another one under the same key none (row 46)', async (t) => {
    const app = await TestApp.open(t);
    const key = { 'idempotency-key': 'one' };
    const first = await app.put('path=a', 'one', { ...key, 'if-none-match': '*' });
    // Its answer was lost: the same request again. What it is based on decides, and the key is nobody's business.
    assert.equal(codeOf(await app.put('path=a', 'one', { ...key, 'if-none-match': '*' })), '412 file-exists');
    const base = { 'if-match': first.json().dotfile.etag };
    assert.equal((await app.put('path=a', 'two', { ...key, ...base })).statusCode, 200);
    for (const text of ['two', 'another']) {
      assert.equal(codeOf(await app.put('path=a', text, { ...key, ...base })), '412 version-stale');
    }
    const { versions } = (await app.send('GET', '/v1/dotfiles/history?path=a')).json();
    assert.equal(versions.length, 2);
    assert.equal((await app.send('GET', '/v1/dotfiles/content?path=a')).body, 'two');
  });

  it('take a doubly escaped path for the name that it is, and keep it', async (t) => {
    const app = await TestApp.open(t);
    const saved = await app.put('path=%252e%252e%252fetc', 'x');
    assert.equal(saved.json().dotfile.path, '%2e%2e%2fetc');
  });

  it('warn of a name that differs in case only, or that travels badly, and keep it (rows 14 and 15)', async (t) => {
    const app = await TestApp.open(t);
    const warningsOf = async (path: string) => (await app.put(`path=${encodeURIComponent(path)}`, 'x')).json().warnings;
    assert.deepEqual(await warningsOf('.bashrc'), []);
    assert.deepEqual(await warningsOf('.Bashrc'), ['case-collision']);
    for (const path of ['con', 'NUL.txt', 'a.', 'a ']) assert.deepEqual(await warningsOf(path), ['not-portable'], path);
  });

  it('keep odd names exactly (row 105)', async (t) => {
    const app = await TestApp.open(t);
    for (const name of ['a#b', 'a?b', 'a%b', 'a b', 'a+b', 'a&b=c', '.é', '🥄', "it's", '"q"']) {
      const saved = await app.put(`path=${encodeURIComponent(name)}`, name);
      assert.equal(saved.json().dotfile.path, name);
      const read = await app.send('GET', `/v1/dotfiles/content?${new URLSearchParams({ path: name })}`);
      assert.equal(read.body, name);
    }
  });

  it('answer another user as if there were nothing, and an administrator not at all', async (t) => {
    const app = await TestApp.open(t);
    await app.put('path=a', 'x');
    const asBob = { 'test-user': 'bob' };
    assert.equal(codeOf(await app.send('GET', '/v1/dotfiles/content?path=a', undefined, asBob)), '404 not-found');
    assert.deepEqual((await app.send('GET', '/v1/dotfiles', undefined, asBob)).json(), { dotfiles: [] });
    const asAdmin = await app.app.inject({ method: 'GET', url: '/v1/dotfiles/content?path=a' });
    assert.equal(codeOf(asAdmin), '403 insufficient-scope');
  });
});
