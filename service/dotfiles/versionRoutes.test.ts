import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Check } from 'typebox/value';
import { parseHomePath } from '../../protocol/homePath.ts';
import { keptVersionsMs, maxBatchEntries } from '../../protocol/limits.ts';
import { routes } from '../../protocol/routes.ts';
import { codeOf, TestApp } from './testApp.fixture.ts';

const restore = (app: TestApp, body: object) => app.send('POST', '/v1/dotfiles/restore', body);

describe('restoring', () => {
  it('makes an older version current as a new one, with its mode and kind', async (t) => {
    const app = await TestApp.open(t);
    const first = (await app.put('path=run&mode=755', '#!/bin/sh')).json().dotfile;
    const second = (await app.put('path=run&mode=644', 'gone wrong', { 'if-match': first.etag })).json().dotfile;
    app.events.length = 0;
    const restored = await restore(app, { path: 'run', version: 1 });
    assert(Check(routes.restoreDotfile.response, restored.json()));
    const { dotfile } = restored.json();
    assert.deepEqual([dotfile.id, dotfile.version, dotfile.mode, dotfile.size], [first.id, 3, 0o755, 9]);
    assert.ok(dotfile.modifiedMs > second.modifiedMs);
    assert.deepEqual(app.events[0], { type: 'dotfile.saved', dotfile, clientId: null });
    assert.deepEqual(app.changes.at(-1), { saved: ['run'] });
    const { versions } = (await app.send('GET', '/v1/dotfiles/history?path=run')).json();
    assert.deepEqual(
      versions.map(({ origin }: { origin: string }) => origin),
      ['restore', 'api', 'api'],
    );
  });

  it('brings a removed one back by id or path, with its history', async (t) => {
    const app = await TestApp.open(t);
    const first = (await app.put('path=.config/a', 'one')).json().dotfile;
    await app.put('path=.config/a', 'two', { 'if-match': first.etag });
    const removed = (await app.send('DELETE', '/v1/dotfiles?path=.config&recursive=true')).json();
    assert.deepEqual(removed.dotfiles, [{ id: first.id, path: '.config/a' }]);

    const deleted = await app.send('GET', '/v1/dotfiles/deleted');
    assert(Check(routes.deletedDotfiles.response, deleted.json()));
    assert.deepEqual(
      deleted.json().dotfiles.map(({ id, path, version }: Record<string, unknown>) => [id, path, version]),
      [[first.id, '.config/a', 2]],
    );
    const history = (await app.send('GET', `/v1/dotfiles/history?id=${first.id}`)).json();
    assert.deepEqual([history.path, history.versions.length], ['.config/a', 2]);
    assert.equal((await app.send('GET', `/v1/dotfiles/content?id=${first.id}&version=1`)).body, 'one');
    assert.equal((await app.send('GET', `/v1/dotfiles/content?id=${first.id}`)).body, 'two');

    const back = (await restore(app, { id: first.id })).json().dotfile;
    assert.deepEqual([back.id, back.path, back.version], [first.id, '.config/a', 3]);
    assert.equal((await app.send('GET', '/v1/dotfiles/content?path=.config/a')).body, 'two');
    assert.deepEqual((await app.send('GET', '/v1/dotfiles/deleted')).json().dotfiles, []);

    await app.send('DELETE', '/v1/dotfiles?path=.config/a');
    const older = (await restore(app, { path: '.config/a', version: 1 })).json().dotfile;
    assert.deepEqual([older.id, older.version, older.size], [first.id, 4, 3]);
    const restarted = await app.users.reopen().list('ada');
    assert.deepEqual(restarted.dotfiles, [older]);
  });

  it('refuses what it cannot do, and changes nothing', async (t) => {
    const app = await TestApp.open(t);
    const old = (await app.put('path=a', 'old')).json().dotfile;
    await app.send('DELETE', '/v1/dotfiles?path=a');
    const there = (await app.put('path=a', 'new')).json().dotfile;
    assert.notEqual(there.id, old.id);
    assert.equal(codeOf(await restore(app, { id: old.id })), '412 file-exists');
    assert.equal(codeOf(await restore(app, { path: 'a' })), '422 request-invalid');
    assert.equal(codeOf(await restore(app, { path: 'a', version: 9 })), '404 not-found');
    assert.equal(codeOf(await restore(app, { path: 'a', version: 1, etag: '"v9-00000000"' })), '412 version-stale');
    assert.equal(codeOf(await restore(app, { path: 'nowhere' })), '404 not-found');
    assert.equal(codeOf(await restore(app, { path: 'a', id: old.id, version: 1 })), '422 request-invalid');
    assert.equal(codeOf(await restore(app, {})), '422 request-invalid');
    assert.equal(codeOf(await restore(app, { path: '../a', version: 1 })), '422 path-traversal');
    const asBob = { 'test-user': 'bob' };
    assert.equal(
      codeOf(await app.send('POST', '/v1/dotfiles/restore', { id: old.id }, asBob)),
      '404 not-found',
      'another user’s id is as absent as a random one',
    );
    assert.equal(codeOf(await app.send('GET', `/v1/dotfiles/content?id=${old.id}`, undefined, asBob)), '404 not-found');
    assert.deepEqual((await app.send('GET', '/v1/dotfiles')).json().dotfiles, [there]);
  });

  it('forgets a removed one after 90 days', async (t) => {
    const app = await TestApp.open(t);
    const { id } = (await app.put('path=a', 'x')).json().dotfile;
    await app.send('DELETE', '/v1/dotfiles?path=a');
    app.users.nowMs += keptVersionsMs + 1;
    assert.deepEqual((await app.send('GET', '/v1/dotfiles/deleted')).json().dotfiles, []);
    assert.equal(codeOf(await restore(app, { id })), '404 not-found');
    assert.equal(codeOf(await restore(app, { path: 'a' })), '404 not-found');
  });
});

describe('modes and silence', () => {
  const setMode = (app: TestApp, body: object) => app.send('POST', '/v1/dotfiles/mode', body);

  it('a mode is a version of its own, also of a folder that had no entry', async (t) => {
    const app = await TestApp.open(t);
    const saved = (await app.put('path=bin/run', 'x')).json().dotfile;
    const changed = await setMode(app, { path: 'bin/run', mode: '755', origin: 'editor' });
    assert(Check(routes.setDotfileMode.response, changed.json()));
    assert.deepEqual([changed.json().dotfile.mode, changed.json().dotfile.version], [0o755, 2]);
    assert.equal((await app.send('GET', '/v1/dotfiles/content?path=bin/run')).body, 'x');
    const folder = (await setMode(app, { path: 'bin', mode: '700' })).json().dotfile;
    assert.deepEqual([folder.kind, folder.mode], ['directory', 0o700]);
    assert.equal(codeOf(await setMode(app, { path: 'bin/run', mode: '644', etag: saved.etag })), '412 version-stale');
    assert.equal(codeOf(await setMode(app, { path: 'bin/run', mode: '4755' })), '422 mode-invalid');
    assert.equal(codeOf(await setMode(app, { path: 'gone', mode: '644' })), '404 not-found');
    await app.put('path=link&kind=symlink', 'x');
    assert.equal(codeOf(await setMode(app, { path: 'link', mode: '644' })), '422 mode-invalid');
  });

  it('silence stays with the file through saves, moves, removal and restarts', async (t) => {
    const app = await TestApp.open(t);
    const saved = (await app.put('path=a', 'x')).json().dotfile;
    app.events.length = 0;
    const silenced = await app.send('POST', '/v1/dotfiles/silence', { path: 'a', silenced: true });
    assert(Check(routes.silenceDotfile.response, silenced.json()));
    assert.deepEqual(silenced.json(), { ...saved, secretsSilenced: true });
    assert.equal(app.events[0]?.type, 'dotfile.saved');
    await app.put('path=a', 'y', { 'if-match': saved.etag });
    await app.send('POST', '/v1/dotfiles/move', { from: 'a', to: 'b' });
    await app.send('DELETE', '/v1/dotfiles?path=b');
    await restore(app, { path: 'b' });
    const [after] = (await app.users.reopen().list('ada')).dotfiles;
    assert.equal(after?.secretsSilenced, true);
    const spoken = await app.send('POST', '/v1/dotfiles/silence', { path: 'b', silenced: false });
    assert.equal(spoken.json().secretsSilenced, undefined);
    assert.equal(
      codeOf(await app.send('POST', '/v1/dotfiles/silence', { path: 'c', silenced: true })),
      '404 not-found',
    );
  });
});

describe('a batch', () => {
  it('saves each file or none of it, and says which and why', async (t) => {
    const app = await TestApp.open(t);
    const there = (await app.put('path=there', 'old')).json().dotfile;
    app.events.length = 0;
    const answer = await app.batch(
      [
        [{ path: '.config/a' }, 'one'],
        [{ path: '../x' }, 'never'],
        [{ path: 'there' }, 'never'],
        [{ path: 'bin/run', mode: '700' }, '#!/bin/sh'],
        [{ path: '.config/a/b' }, 'never'],
        [{ path: 'link', kind: 'symlink' }, 'bin/run'],
        [{ path: 'there', etag: there.etag }, 'new'],
        [{ path: 'mode', mode: '9' }, 'never'],
        [{ path: 'empty' }, ''],
      ],
      { 'spoon-client': 'w' },
    );
    assert(Check(routes.saveDotfiles.response, answer.json()), answer.body);
    const said = answer
      .json()
      .outcomes.map(({ path, dotfile, refused }: Record<string, { code: string }>) => [
        path,
        refused?.code ?? (dotfile as unknown as { version: number }).version,
      ]);
    assert.deepEqual(said, [
      ['.config/a', 1],
      ['../x', 'path-traversal'],
      ['there', 'file-exists'],
      ['bin/run', 1],
      ['.config/a/b', 'path-kind-conflict'],
      ['link', 1],
      ['there', 2],
      ['mode', 'mode-invalid'],
      ['empty', 1],
    ]);
    assert.deepEqual(app.changes.at(-1)?.saved, ['.config/a', 'bin/run', 'link', 'there', 'empty']);
    assert.deepEqual(app.events.filter(({ type }) => type === 'dotfile.saved').length, 5);
    const listed = (await app.users.reopen().list('ada')).dotfiles.map(({ path, mode }) => [path, mode]);
    assert.deepEqual(listed, [
      ['.config/a', 0o644],
      ['bin/run', 0o700],
      ['empty', 0o644],
      ['link', 0o777],
      ['there', 0o644],
    ]);
    assert.equal((await app.send('GET', '/v1/dotfiles/content?path=there')).body, 'new');
    const { versions } = (await app.send('GET', '/v1/dotfiles/history?path=empty')).json();
    assert.equal(versions[0].origin, 'import');
  });

  it('is refused as a whole where it cannot be read', async (t) => {
    const app = await TestApp.open(t);
    const good = [{ path: 'a' }, 'x'] as const;
    assert.equal(codeOf(await app.batch([good, ['{', 'x']])), '400 json-invalid');
    assert.equal(codeOf(await app.batch([good, [{ path: 'b', what: 1 }, 'x']])), '422 request-invalid');
    assert.equal(codeOf(await app.batch([good, [{ path: 1 }, 'x']])), '422 request-invalid');
    const many = Array.from({ length: maxBatchEntries + 1 }, (_, index) => [{ path: `f${index}` }, ''] as const);
    assert.equal(codeOf(await app.batch(many)), '422 request-invalid');
    const cut = Buffer.from([0, 0, 0, 9, 123]);
    const headers = { 'test-user': 'ada', 'content-type': 'application/octet-stream' };
    const broken = await app.app.inject({ method: 'POST', url: '/v1/dotfiles/batch', payload: cut, headers });
    assert.equal(codeOf(broken), '422 request-invalid');
    assert.deepEqual((await app.send('GET', '/v1/dotfiles')).json().dotfiles, []);
  });
});

describe('forgetting versions', () => {
  const forget = (app: TestApp, body: object) => app.send('POST', '/v1/dotfiles/history/forget', body);

  it('takes older ones away for good, and leaves the others', async (t) => {
    const app = await TestApp.open(t);
    let etag: string | undefined;
    for (const text of ['one', 'two', 'three']) {
      const saved = await app.put('path=.npmrc', text, etag === undefined ? {} : { 'if-match': etag });
      etag = saved.json().dotfile.etag;
    }
    const forgotten = await forget(app, { path: '.npmrc', versions: [1, 2, 9] });
    assert(Check(routes.forgetDotfileVersions.response, forgotten.json()));
    assert.deepEqual(
      forgotten.json().versions.map(({ version }: { version: number }) => version),
      [3],
    );
    assert.equal(codeOf(await app.send('GET', '/v1/dotfiles/content?path=.npmrc&version=2')), '404 not-found');
    assert.equal(codeOf(await restore(app, { path: '.npmrc', version: 1 })), '404 not-found');
    assert.equal((await app.send('GET', '/v1/dotfiles/content?path=.npmrc')).body, 'three');
    // The numbers go on where they were.
    assert.equal((await app.put('path=.npmrc', 'four', { 'if-match': etag ?? '' })).json().dotfile.version, 4);
  });

  it('is refused for the current one, and for what is not there', async (t) => {
    const app = await TestApp.open(t);
    await app.put('path=.npmrc', 'one');
    assert.equal(codeOf(await forget(app, { path: '.npmrc', versions: [1] })), '422 request-invalid');
    assert.equal(codeOf(await forget(app, { path: '.other', versions: [1] })), '404 not-found');
    assert.equal(codeOf(await forget(app, { path: '../x', versions: [1] })), '422 path-traversal');
  });

  it('lets a kept hand edit go with its version', async (t) => {
    const app = await TestApp.open(t);
    await app.put('path=.npmrc', 'one');
    const edit = { path: parseHomePath('.npmrc'), bytes: Buffer.from('by hand'), mode: 0o600 };
    await app.users.dotfiles.keepDrift('ada', edit);
    const kept = async () => (await app.users.dotfiles.drifts('ada', new Map())).length;
    assert.equal(await kept(), 1);
    await forget(app, { path: '.npmrc', versions: [2] });
    assert.equal(await kept(), 0);
    assert.equal((await app.users.reopen().drifts('ada', new Map())).length, 0);
  });
});
