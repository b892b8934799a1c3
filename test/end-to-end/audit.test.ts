import assert from 'node:assert/strict';
import { mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { AuditEntry } from '../../protocol/audit.ts';
import type { Route } from '../../protocol/route.ts';
import { routes } from '../../protocol/routes.ts';
import { AuditRetention } from '../../service/audit/retention.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { PersonsMachine } from '../fixtures/spoonctl.fixture.ts';

describe('who did what', { timeout: 120_000 }, () => {
  let side: TestHttpSide;
  let machine: PersonsMachine;
  before(async () => {
    side = await TestHttpSide.start();
    machine = await PersonsMachine.create();
    const admin = join(machine.homeDir, 'work', 'admin');
    await mkdir(admin, { recursive: true });
    await symlink(side.adminSocket, join(admin, 'admin.sock'));
    machine.env = { SPOON_AGENT_WORKDIR: join(machine.homeDir, 'work') };
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await side[Symbol.asyncDispose]();
  });
  const operator = (method: string, path: string, body?: unknown) =>
    operatorCall(side.adminSocket, method, `/v1/admin/${path}`, body);
  const entries = async () => (await operator('GET', 'audit?limit=1000')).body.entries as AuditEntry[];
  const noted = async (from: number) =>
    (await entries())
      .filter(({ seq, event }) => seq > from && event !== 'token.new-address')
      .map(({ actor, event, object, result, code }) => [actor.username ?? actor.kind, event, object, code ?? result]);
  const newest = async () => (await entries()).at(-1)?.seq ?? 0;
  const alter = (statement: string) => {
    const database = new DatabaseSync(join(side.folder, 'spoon.db'));
    database.exec(statement);
    database.close();
  };

  it('is asked for by every route that changes what somebody may do, or who somebody is', () => {
    const changing = (Object.entries(routes) as [string, Route][]).filter(
      ([, { method, scope, path }]) =>
        method !== 'GET' &&
        (/^(admin:users|admin:boxes|tokens:manage|secrets:write)$/.test(scope) || /password/.test(path)),
    );
    assert.ok(changing.length > 12);
    for (const [name, route] of changing) assert.ok(route.audit, name);
  });

  it('is noted with actor, object and result, and what is refused twice', async () => {
    const from = await newest();
    await operator('POST', 'users', { displayName: 'Cy' });
    const token = await side.tokenOf('cy');
    const { tokens } = await side.json<{ tokens: { id: string }[] }>('GET', '/v1/tokens', token);
    await operator('POST', 'users/nobody-here/disable');
    await side.call('POST', '/v1/admin/users/ada/disable', token);
    await operator('POST', 'users/cy/disable');
    assert.deepEqual(await noted(from), [
      ['operator', 'user.create', null, 'started'],
      ['operator', 'user.create', 'cy', 'done'],
      ['operator', 'token.create', 'cy', 'started'],
      ['operator', 'token.create', tokens[0]?.id, 'done'],
      ['operator', 'user.disable', 'nobody-here', 'started'],
      ['operator', 'user.disable', 'nobody-here', 'not-found'],
      ['cy', 'user.disable', 'ada', 'insufficient-scope'],
      ['operator', 'user.disable', 'cy', 'started'],
    ]);
  });

  it('has who got into an account by an invite, before they are in', async () => {
    const { body } = await operator('POST', 'users/bo/invite', {});
    const from = await newest();
    const password = 'correct horse battery';
    const invite = String(body.link).split('#')[1] ?? '';
    const send = () =>
      fetch(`${side.url}/sign-in/invite`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ invite, password, again: password }),
      });
    alter("CREATE TRIGGER audit_full BEFORE INSERT ON audit BEGIN SELECT raise(abort, 'full'); END");
    try {
      assert.equal((await send()).status, 503);
    } finally {
      alter('DROP TRIGGER audit_full');
    }
    assert.equal((await send()).status, 200, 'the invite was not used up');
    assert.deepEqual(await noted(from), [['bo', 'invite.use', null, 'started']]);
  });

  it('has sign-ins, right and wrong, of those who exist', async () => {
    await side.setPassword(side.ada, 'correct horse battery');
    const from = await newest();
    const send = (username: string, password: string) =>
      fetch(`${side.url}/sign-in/device`, {
        method: 'POST',
        headers: { 'user-agent': 'agent\u0009x'.repeat(100), 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ user_code: 'x', username, password }),
      });
    await send('ada', 'wrong');
    await send('nobody-here', 'wrong');
    await send('ada', 'correct horse battery');
    assert.deepEqual(await noted(from), [
      ['ada', 'sign-in', null, 'sign-in-refused'],
      ['ada', 'sign-in', null, 'done'],
    ]);
    const last = (await entries()).at(-1);
    assert.equal(last?.address, '127.0.0.1');
    assert.ok((last?.userAgent?.length ?? 0) <= 200 && !/\t/.test(last?.userAgent ?? ''));
  });

  it('has who started, stopped and restarted a box', async () => {
    const token = await side.tokenOf('bo');
    const from = await newest();
    for (const what of ['start', 'stop']) await side.call('POST', `/v1/box/${what}`, token);
    const events = (await noted(from)).map(([who, event]) => [who, event]);
    assert.deepEqual(events, [
      ['bo', 'box.start'],
      ['bo', 'box.stop'],
    ]);
  });

  it('is searched by spoonctl, which asks for nothing with a filter that is none', async () => {
    const list = async (...filters: string[]) => {
      const { stdout } = await machine.run(['admin', 'audit', 'list', '--json', ...filters]);
      return (JSON.parse(stdout.toString()) as { entries: AuditEntry[] }).entries;
    };
    const created = await list('--event', 'user.create', '--about', 'cy', '--since', '1h');
    assert.deepEqual(
      created.map(({ event, object, result }) => [event, object, result]),
      [['user.create', 'cy', 'done']],
    );
    assert.ok((await list('--result', 'refused')).every(({ result }) => result === 'refused'));
    assert.deepEqual(await list('--until', '30d'), []);
    const exported = await machine.run(['admin', 'audit', 'export', '--event', 'sign-in']);
    const lines = exported.stdout.toString().trimEnd().split('\n');
    assert.ok(lines.length > 0 && lines.every((text) => (JSON.parse(text) as AuditEntry).event === 'sign-in'));
    for (const wrong of [
      ['--event', 'User Create'],
      ['--since', 'yesterday'],
      ['--result', 'maybe'],
    ])
      assert.equal((await machine.run(['admin', 'audit', 'list', ...wrong])).code, 2, wrong.join(' '));
    assert.equal((await operator('GET', 'audit?event=%00')).status, 422);
    assert.equal((await operator('GET', 'audit?fromMs=-1')).status, 422);
  });

  it('is listed, verified and exported by spoonctl', async () => {
    const { stdout } = await machine.run(['admin', 'audit', 'list', '--limit', '20']);
    assert.match(stdout.toString(), /ada +sign-in +done +127\.0\.0\.1/);
    const verified = JSON.parse((await machine.run(['admin', 'audit', 'verify', '--json'])).stdout.toString());
    assert.deepEqual([verified.fault, verified.entries], [null, await newest()]);
    const head = `${verified.head.seq}:${verified.head.mac}`;
    assert.equal((await machine.run(['admin', 'audit', 'verify', '--head', head])).code, 0);
    assert.equal(
      (await machine.run(['admin', 'audit', 'verify', '--head', `${verified.head.seq + 9}:${verified.head.mac}`])).code,
      1,
    );
    assert.equal((await machine.run(['admin', 'audit', 'verify', '--head', 'x'])).code, 2);
    const file = join(machine.homeDir, 'audit.ndjson');
    assert.equal((await machine.run(['admin', 'audit', 'export', file])).code, 0);
    const lines = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    assert.deepEqual(
      lines.map(({ seq }) => seq),
      Array.from({ length: verified.entries }, (_, index) => index + 1),
    );
    assert.equal(lines.at(-1).mac, verified.head.mac);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await machine.run(['admin', 'audit', 'export', file])).code, 2);
  });

  it('that cannot be noted is not done, but terminals open', async () => {
    const token = await side.tokenOf('ada');
    alter("CREATE TRIGGER audit_full BEFORE INSERT ON audit BEGIN SELECT raise(abort, 'full'); END");
    try {
      const refused = await operator('POST', 'users/bo/disable');
      assert.deepEqual([refused.status, refused.body.code], [503, 'audit-unavailable']);
      assert.equal((await side.users.byName('bo'))?.disabled, false);
      assert.equal((await side.call('POST', '/v1/tokens', token, { name: 'x' })).status, 503);
      await side.json('POST', '/v1/terminals', token, {});
    } finally {
      alter('DROP TRIGGER audit_full');
    }
    assert.equal((await operator('POST', 'users/bo/disable')).status, 200);
  });

  it('is no longer listed when it is too old, and verified all the same', async () => {
    const last = await newest();
    await new AuditRetention({
      ...{ store: side.store, keyring: side.keyring, days: 400, now: () => Date.now() + 401 * 24 * 60 * 60 * 1000 },
      onRemoved: (count) => assert.equal(count, last),
      onError: (error) => assert.fail(String(error)),
    }).pass();
    const [left, ...more] = await entries();
    assert.deepEqual([left?.event, left?.details?.to, more], ['audit.remove', last, []]);
    const { code, stdout } = await machine.run(['admin', 'audit', 'verify']);
    assert.equal(code, 0);
    assert.match(stdout.toString(), new RegExp(`^Removed +all up to ${last}, last on \\d{4}-`, 'm'));
    const exported = (await machine.run(['admin', 'audit', 'export'])).stdout.toString().trimEnd().split('\n');
    assert.equal((JSON.parse(exported[0] ?? '') as AuditEntry).seq, last + 1);
  });

  it('has its head in the log, for when its end is cut off', async () => {
    await side.closeHttp();
    const logged = side.logLines.map((text) => JSON.parse(text)).findLast(({ event }) => event === 'audit.head');
    assert.match(logged.text, /^\d+:[0-9a-f]{64}$/);
  });
});
