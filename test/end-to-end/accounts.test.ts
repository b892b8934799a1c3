import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { toBoxUser } from '../../service/boxUsers.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

describe('accounts', { timeout: 120_000 }, () => {
  let side: TestHttpSide;
  before(async () => {
    side = await TestHttpSide.start();
  });
  after(() => side[Symbol.asyncDispose]());
  const operator = (method: string, path: string, body?: unknown) =>
    operatorCall(side.adminSocket, method, ['/v1/admin/users', path].filter(Boolean).join('/'), body);
  const statusOf = async (token: string) => (await side.call('GET', '/v1/me', token)).status;

  it('of a disabled user: tokens, sockets and the box end within 5 s, and the home stays', async () => {
    const token = await side.tokenOf('ada');
    await side.json('POST', '/v1/box/start', token);
    const ticketFor = async (body: object) => String((await side.json('POST', '/v1/tickets', token, body)).ticket);
    const { terminal } = await side.json<{ terminal: { id: string } }>('POST', '/v1/terminals', token, {});
    const terminalPath = `/v1/terminals/${terminal.id}/attach`;
    const viewer = side.socket(terminalPath, await ticketFor({ kind: 'terminal', id: terminal.id }));
    const events = side.socket('/v1/events', await ticketFor({ kind: 'events' }));
    await Promise.all([once(viewer, 'open'), once(events, 'open')]);
    const unused = await ticketFor({ kind: 'events' });

    const closed = Promise.all([once(viewer, 'close'), once(events, 'close')]);
    const startedMs = performance.now();
    const { status, body } = await operator('POST', 'ada/disable');
    await closed;
    const tookMs = performance.now() - startedMs;

    assert.deepEqual([status, body.disabled], [200, true]);
    assert.ok(tookMs < 5_000, `${tookMs} ms`);
    assert.equal(await statusOf(token), 401);
    assert.equal(side.boxes.running(side.ada.id), undefined);
    // As of a request that found the account before it was disabled.
    await assert.rejects(side.boxes.ensure(toBoxUser(side.ada)), { code: 'user-disabled' });
    assert.ok(existsSync(side.boxes.homeOf('ada')));
    const late = side.socket('/v1/events', unused);
    const [, refused] = await once(late, 'unexpected-response');
    late.on('error', () => undefined);
    late.terminate();
    assert.equal(refused.statusCode, 401);
    assert.equal((await operator('POST', 'ada/tokens', { name: 'x' })).status, 403);
  });

  it('that are enabled again need new tokens', async () => {
    const old = await side.tokenOf('bo');
    await operator('POST', 'bo/disable');
    assert.equal((await operator('POST', 'bo/enable')).body.disabled, false);
    assert.equal(await statusOf(old), 401);
    const token = await side.tokenOf('bo');
    assert.equal(await statusOf(token), 200);
    await side.json('POST', '/v1/box/start', token);
  });

  it('get another display name, and keep their username', async () => {
    const { body } = await operator('PUT', 'bo/name', { displayName: 'Bo Peep' });
    assert.deepEqual([body.username, body.displayName], ['bo', 'Bo Peep']);
    assert.equal((await operator('PUT', 'bo/name', { displayName: 'a\u001bb' })).status, 422);
    assert.equal((await operator('PUT', 'nobody-here/name', { displayName: 'x' })).status, 404);
  });

  it('tell an administrator their tokens, without the secrets', async () => {
    const token = await side.tokenOf('bo');
    const { body } = await operator('GET', 'bo/tokens');
    assert.ok((body.tokens as unknown[]).length > 0);
    assert.ok(!JSON.stringify(body).includes(token.slice(18)));
  });

  it('are removed only for their name typed once more; then nothing of them can be read', async () => {
    const { body: made } = await operator('POST', '', { displayName: 'Eve' });
    const userId = String(made.id);
    const token = await side.tokenOf('eve');
    await side.json('PUT', '/v1/dotfiles/content?path=.canary', token, Buffer.from('canary'));
    await side.json('POST', '/v1/box/start', token);
    const key = await side.store.db
      .selectFrom('data_keys')
      .selectAll()
      .where('owner_id', '=', userId)
      .executeTakeFirst();
    assert.ok(key);
    await side.store.checkpoint();
    const stored = async () =>
      Buffer.concat(await Promise.all(['', '-wal'].map((end) => readFile(join(side.folder, `spoon.db${end}`)))));
    assert.ok((await stored()).includes(Buffer.from(key.wrapped)));

    for (const confirm of ['', 'Eve', 'ada', 'eve ']) {
      const { status, body } = await operator('DELETE', 'eve', { confirm });
      assert.deepEqual([status, body.code], [422, 'user-not-confirmed']);
    }
    assert.equal(await statusOf(token), 200);
    const { status, body } = await operator('DELETE', 'eve', { confirm: 'eve' });
    assert.deepEqual([status, body], [200, { username: 'eve', homeRemoved: true }]);

    assert.equal(await statusOf(token), 401);
    assert.ok(!existsSync(side.boxes.homeOf('eve')));
    // Overwritten, and not only unlinked from the table.
    assert.ok(!(await stored()).includes(Buffer.from(key.wrapped)));
    assert.equal((await operator('DELETE', 'eve', { confirm: 'eve' })).status, 404);
  });

  it('that are removed leave a name that nobody gets again', async () => {
    await operator('POST', '', { displayName: 'Mallory' });
    await operator('DELETE', 'mallory', { confirm: 'mallory' });
    assert.equal((await operator('POST', '', { displayName: 'Mallory' })).body.username, 'mallory2');
    assert.equal((await operator('POST', '', { displayName: 'M', username: 'mallory' })).status, 409);
  });
});
