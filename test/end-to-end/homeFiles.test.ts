import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { operatorCall, TestHttpSide, upgradeStatus } from '../fixtures/httpSide.fixture.ts';

describe('/v1/files', () => {
  let side: TestHttpSide;
  let token: string;
  let boToken: string;
  const at = (path: string) => `/v1/files/content?path=${encodeURIComponent(path)}`;
  const code = async (response: Promise<Response>) => ((await (await response).json()) as { code: string }).code;
  const write = (path: string, body: string, headers: Record<string, string>) =>
    fetch(`${side.url}${at(path)}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', ...headers },
      body,
    });

  before(async () => {
    side = await TestHttpSide.start();
    const create = async (username: string) => {
      const path = `/v1/admin/users/${username}/tokens`;
      return (await operatorCall(side.adminSocket, 'POST', path, { name: 'test' })).body.token as string;
    };
    token = await create('ada');
    boToken = await create('bo');
  });
  after(() => side[Symbol.asyncDispose]());

  it('does not start a box, and says so', async () => {
    assert.equal(await code(side.call('GET', at('x'), token)), 'box-stopped');
    assert.equal((await side.json('GET', '/v1/box', token)).state, 'stopped');
    await side.json('POST', '/v1/box/start', token);
    await side.json('POST', '/v1/box/start', boToken);
  });

  it('saves on the version that was read, and refuses any other', async () => {
    mkdirSync(join(side.boxes.homeOf('ada'), 'Code/api/main'), { recursive: true });
    assert.equal((await write('Code/api/main/a', 'one', { 'if-none-match': '*' })).status, 200);
    assert.equal(await code(write('Code/api/main/a', 'two', { 'if-none-match': '*' })), 'file-exists');
    const read = await side.call('GET', at('Code/api/main/a'), token);
    assert.equal(await read.text(), 'one');
    const etag = read.headers.get('etag') ?? '';
    writeFileSync(join(side.boxes.homeOf('ada'), 'Code/api/main/a'), 'ONE');
    assert.equal(await code(write('Code/api/main/a', 'two', { 'if-match': etag })), 'version-stale');
    assert.equal(await code(write('Code/api/main/a', 'two', {})), 'version-required');
    for (const wrong of ['x', '*', 'W/"a"', '"../x"']) {
      assert.equal(await code(write('Code/api/main/a', 'two', { 'if-match': wrong })), 'etag-invalid', wrong);
    }
  });

  it('lists, moves, copies, makes and deletes', async () => {
    const move = { from: 'Code/api/main/a', to: 'Code/api/main/b' };
    await side.json('POST', '/v1/files/folders', token, { path: 'Code/api/main/sub' });
    await side.json('POST', '/v1/files/move', token, move);
    await side.json('POST', '/v1/files/copy', token, { from: 'Code/api/main/b', to: 'Code/api/main/sub/c' });
    const list = await side.json('GET', '/v1/files/list?path=Code/api/main', token);
    assert.deepEqual((list.entries as { name: string }[]).map(({ name }) => name).sort(), ['b', 'sub']);
    assert.equal(await code(side.call('DELETE', '/v1/files?path=Code/api/main/sub', token)), 'folder-not-empty');
    await side.json('DELETE', '/v1/files?path=Code/api/main/sub&recursive=true', token);
    assert.equal(await code(side.call('GET', '/v1/files/stat?path=Code/api/main/sub', token)), 'not-found');
  });

  it('leads nowhere but into the own home', async () => {
    for (const path of ['../bo/x', '/etc/passwd', 'a/../../x', 'a//b', '%00']) {
      const status = (await side.call('GET', `/v1/files/stat?path=${path}`, token)).status;
      assert.equal(status, 422, path);
    }
    assert.equal(await code(side.call('POST', '/v1/files/move', token, { from: 'a', to: '../b' })), 'path-traversal');
    assert.equal(await code(side.call('GET', at('Code/api/main/b'), boToken)), 'not-found');
  });

  it('tells of changes to who has a ticket for it', async () => {
    const { ticket } = await side.json<{ ticket: string }>('POST', '/v1/tickets', token, { kind: 'files' });
    const socket = side.socket('/v1/files/watch', ticket);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'watch', folders: [{ path: 'Code/api/main', recursive: true }] }));
    const [first] = await once(socket, 'message');
    assert.deepEqual(JSON.parse(String(first)), { type: 'watching', folders: 1, incomplete: false });
    writeFileSync(join(side.boxes.homeOf('ada'), 'Code/api/main/new'), '');
    const [second] = await once(socket, 'message');
    assert.equal(JSON.parse(String(second)).changes[0].path, 'Code/api/main/new');
    socket.terminate();
    const events = await side.json<{ ticket: string }>('POST', '/v1/tickets', token, { kind: 'events' });
    assert.equal(await upgradeStatus(side.socket('/v1/files/watch', events.ticket)), 401);
  });
});
