import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { AuditEntry } from '../../protocol/audit.ts';
import type { SaveResult } from '../../protocol/dotfiles.ts';
import type { SealKey } from '../../protocol/sealKeys.ts';
import { secretUse } from '../../protocol/secrets.ts';
import type { OpenedTerminal, PreparedCommand } from '../../protocol/terminals.ts';
import { seal } from '../../service/secrets/sealing.fixture.ts';
import { operatorCall, TestHttpSide, upgradeStatus } from '../fixtures/httpSide.fixture.ts';

const name = 'CANARY_NAME_7F';
const value = 'canary-value-7f';
const keystrokes = 'echo canary-keys-7f';

describe('what the audit has of which no route asks for it', { timeout: 120_000 }, () => {
  let side: TestHttpSide;
  let token: string;
  before(async () => {
    side = await TestHttpSide.start();
    token = await side.tokenOf('ada');
  });
  after(() => side[Symbol.asyncDispose]());
  const entries = async (query = ''): Promise<AuditEntry[]> => {
    const { body } = await operatorCall(side.adminSocket, 'GET', `/v1/admin/audit?limit=1000${query}`);
    return body.entries as AuditEntry[];
  };
  /** What is written beside a request may come after its answer. */
  async function noted(event: string, count: number): Promise<AuditEntry[]> {
    for (const endMs = performance.now() + 30_000; ; ) {
      const found = (await entries()).filter((entry) => entry.event === event);
      if (found.length >= count) return found;
      assert.ok(performance.now() < endMs, `${found.length} of ${count} ${event} within 30 s`);
    }
  }
  const alter = (statement: string) => {
    const database = new DatabaseSync(join(side.folder, 'spoon.db'));
    database.exec(statement);
    database.close();
  };
  const open = () => side.json<OpenedTerminal>('POST', '/v1/terminals', token, {});
  const run = (...argv: string[]) => side.json<PreparedCommand>('POST', '/v1/commands', token, { argv });

  it('is which secret went into which terminal, command and where it was set, by an id, never its name or value', async () => {
    const key = await side.json<SealKey>('GET', '/v1/me/seal-key', token);
    const sealed = (await seal(key, secretUse(name, null), value)).toString('base64');
    await side.json('PUT', `/v1/secrets/${name}`, token, { sealed });
    const { terminal } = await open();
    const { id } = await run('true');
    const set = (await noted('secret.set', 2)).at(-1);
    assert.match(set?.object ?? '', /^[0-9a-f]{16}$/);
    const given = await noted('secret.inject', 2);
    assert.deepEqual(
      given.map(({ actor, object, details }) => [actor.username, object, details]),
      [
        ['ada', terminal.id, { into: 'terminal', secrets: set?.object }],
        ['ada', id, { into: 'command', secrets: set?.object }],
      ],
    );
    const about = await entries(`&about=${set?.object}`);
    assert.deepEqual(
      about.map(({ event }) => event),
      ['secret.set', 'secret.inject', 'secret.inject'],
      'the id finds them',
    );
    const all = JSON.stringify(await entries());
    assert.ok(!all.includes(name) && !all.includes(value));
  });

  it('is who looked at a terminal, how long, and how much passed; never what was typed', async () => {
    const { terminal, ticket } = await open();
    const socket = side.socket(`/v1/terminals/${terminal.id}/attach`, ticket);
    await once(socket, 'open');
    const heard = once(socket, 'message');
    socket.send(JSON.stringify({ type: 'attach', columns: 80, rows: 24, credit: 65_536 }));
    await heard;
    socket.send(Buffer.from(`${keystrokes}\n`));
    socket.close();
    const attached = (await noted('terminal.attach', 1)).at(-1);
    const detached = (await noted('terminal.detach', 1)).at(-1);
    for (const entry of [attached, detached]) {
      assert.deepEqual([entry?.actor.username, entry?.object, entry?.address], ['ada', terminal.id, '127.0.0.1']);
      assert.ok(entry?.actor.tokenId);
    }
    const { fromClient = 0, toClient = 0, durationMs = -1 } = detached?.details ?? {};
    assert.ok(Number(fromClient) > keystrokes.length && Number(toClient) > 0 && Number(durationMs) >= 0);
    await side.call('DELETE', `/v1/terminals/${terminal.id}`, token);
    assert.equal((await noted('terminal.close', 1)).at(-1)?.object, terminal.id);
    assert.ok(!JSON.stringify(await entries()).includes('canary-keys'));
  });

  it('is who is turned away at the door, once an hour and network (rows 51, 59 and 61)', async () => {
    for (let time = 0; time < 20; time++) {
      const response = await side.call('GET', `/v1/me?token=${time}-canary-in-url`, token);
      assert.equal(response.status, 400);
      const origin = 'https://evil.example';
      assert.equal((await fetch(`${side.url}/v1/me`, { headers: { origin } })).status, 403);
      assert.equal(await upgradeStatus(side.socket('/v1/events', undefined)), 401);
      assert.equal(await upgradeStatus(side.socket('/v1/events', undefined, { origin })), 403);
    }
    const refused = await noted('request.refused', 2);
    await noted('ticket.refused', 1);
    const found = (await entries()).filter(({ event }) => /^(request|ticket)\.refused$/.test(event));
    assert.deepEqual(found.map(({ code, actor, address }) => [code, actor.kind, address]).sort(), [
      ['credential-in-url', 'nobody', '127.0.0.1'],
      ['origin-not-allowed', 'nobody', '127.0.0.1'],
      ['ticket-invalid', 'nobody', '127.0.0.1'],
    ]);
    assert.equal(refused.length, 2);
    assert.ok(!JSON.stringify(found).includes('canary-in-url'));
  });

  it('is who asks for what they may not, where no event is named for it (row 52)', async () => {
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/tokens', { name: 'x' });
    for (let time = 0; time < 3; time++) {
      assert.equal((await side.call('GET', '/v1/admin/users', token)).status, 403);
      assert.equal((await side.call('GET', '/v1/dotfiles', String(body.token))).status, 403);
    }
    await noted('request.refused', 4);
    const found = (await entries()).filter(({ code }) => code === 'insufficient-scope');
    assert.deepEqual(found.map(({ actor, details }) => [actor.kind, details?.route]).sort(), [
      ['admin', '/v1/dotfiles'],
      ['user', '/v1/admin/users'],
    ]);
  });

  it('is a token that is used from a network for the first time', async () => {
    const fresh = await side.tokenOf('bo');
    const before = (await entries()).filter(({ event }) => event === 'token.new-address').length;
    for (let time = 0; time < 3; time++) await side.json('GET', '/v1/me', fresh);
    const [entry, ...more] = (await noted('token.new-address', before + 1)).slice(before);
    assert.deepEqual([entry?.actor.username, entry?.object, entry?.address], ['bo', entry?.actor.tokenId, '127.0.0.1']);
    assert.deepEqual(more, []);
  });

  it('is which dotfiles were written and removed, by their ids and many in one entry', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' };
    const ids: string[] = [];
    for (let file = 0; file < 20; file++) {
      const path = `/v1/dotfiles/content?path=.canary-path-${file}`;
      const init = { method: 'PUT', body: 'x', headers: { ...headers, 'if-none-match': '*' } };
      const { dotfile } = (await (await fetch(`${side.url}${path}`, init)).json()) as SaveResult;
      ids.push(dotfile.id);
    }
    const removed = await side.call('DELETE', '/v1/dotfiles?path=.canary-path-0', token);
    assert.equal(removed.status, 200);
    assert.equal((await noted('dotfile.remove', 1)).at(-1)?.details?.ids, ids[0]);
    const named = async () =>
      (await noted('dotfile.write', 1)).flatMap(({ details }) => String(details?.ids).split(' '));
    for (const endMs = performance.now() + 30_000; (await named()).length < 20; ) assert.ok(performance.now() < endMs);
    assert.deepEqual((await named()).sort(), ids.sort());
    assert.ok((await noted('dotfile.write', 1)).length < 20);
    assert.ok(!JSON.stringify(await entries()).includes('canary-path'));
  });

  it('is what does not open any more (row 98)', async () => {
    const path = '/v1/dotfiles/content?path=.flipped';
    const init = { method: 'PUT', body: 'x' };
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/octet-stream',
      'if-none-match': '*',
    };
    assert.equal((await fetch(`${side.url}${path}`, { ...init, headers })).status, 200);
    alter('UPDATE dotfile_versions SET blob = substr(blob, 1, length(blob) - 1) || zeroblob(1)');
    assert.equal((await side.call('GET', path, token)).status, 500);
    assert.equal((await side.call('GET', path, token)).status, 500);
    const [entry, ...more] = await noted('integrity.failure', 1);
    assert.deepEqual(
      [entry?.actor.username, entry?.code, entry?.details?.route, more],
      ['ada', 'integrity-failure', '/v1/dotfiles/content', []],
    );
  });

  it('is needed for secrets: a terminal opens without them where it cannot be written, and says so', async () => {
    alter("CREATE TRIGGER audit_full BEFORE INSERT ON audit BEGIN SELECT raise(abort, 'full'); END");
    try {
      const { notes } = await open();
      assert.match(notes.join(' '), /Your secrets were left out: it could not be written down/);
      const { ticket, id } = await run('sh', '-c', `echo "[$${name}]"`);
      const socket = side.socket(`/v1/commands/${id}/attach`, ticket);
      const printed: Buffer[] = [];
      socket.on('message', (data: Buffer, isBinary) => isBinary && printed.push(data));
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'start', credit: 65_536 }));
      await once(socket, 'close');
      assert.match(Buffer.concat(printed).toString(), /\[\]/);
    } finally {
      alter('DROP TRIGGER audit_full');
    }
    const { notes } = await open();
    assert.doesNotMatch(notes.join(' '), /left out/);
  });
});
