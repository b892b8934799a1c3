import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { SpoonError } from '../protocol/errors.ts';
import { problemMediaType, toProblem } from '../protocol/problem.ts';
import { PersonsMachine } from '../test/fixtures/spoonctl.fixture.ts';

const user = { id: 'u1', username: 'ada', displayName: 'Ada Lovelace', createdMs: 1, disabled: false };
const facts = { admin: true, lastUsedMs: 1, box: 'running', dotfiles: 3, storedBytes: 2048 };
const info = { id: 'k1', name: 'laptop', kind: 'user', scopes: [], createdMs: 1, expiresMs: 2, lastUsedMs: null };

const load = { cpuPercent: 150, memoryBytes: 2 ** 20, memoryLimitBytes: 2 ** 31, processes: 7 };
const quota = {
  username: 'ada',
  limits: {
    ...{ memoryBytes: 2 ** 30, cpus: 1.5, processes: 512, terminals: 16, dotfiles: 10_000 },
    ...{ dotfileBytes: null, homeBytes: 20 * 2 ** 30 },
  },
  own: ['memoryBytes', 'cpus', 'homeBytes'],
  usage: {
    ...{ cpuPercent: 70, memoryBytes: 2 ** 28, processes: 12, terminals: 2 },
    ...{ dotfiles: 3, dotfileBytes: 10, storedBytes: 2048, homeBytes: null },
  },
};
const entry = {
  ...{ seq: 1, timeMs: 1, event: 'user.disable', result: 'done', code: null, object: 'a\u009b2J\u202eb' },
  ...{ actor: { kind: 'operator', userId: null, username: null, tokenId: null }, address: null },
  ...{ userAgent: null, requestId: null, mac: 'ff' },
};
const health = { version: '1.2.3', apiVersion: 1, instanceId: 'i', engine: 'docker' };

describe('spoonctl for administrators', { timeout: 300_000 }, () => {
  let machine: PersonsMachine;
  const seen: { line: string; authorization: string | undefined; body: unknown }[] = [];
  const keys = [
    { id: 'aaaaaaaa', createdMs: 1, isCurrent: false, isAvailable: false, dataKeys: 3 },
    { id: 'bbbbbbbb', createdMs: 2, isCurrent: true, isAvailable: true, dataKeys: 0 },
  ];
  const rotation = { owners: 0, resealed: 0, unopened: 0 };
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const line = `${request.method} ${request.url}`;
      seen.push({ line, authorization: request.headers.authorization, body: JSON.parse(body.toString() || 'null') });
      const answers: Record<string, unknown> = {
        'POST /v1/admin/users': user,
        'GET /v1/admin/users': {
          users: [
            { ...user, ...facts },
            { ...user, ...facts, username: 'bob', displayName: 'Bob\u001b[2J', disabled: true, admin: false },
          ],
        },
        'POST /v1/admin/users/ada/tokens': { token: 'the-new-token', info },
        'POST /v1/admin/tokens': { token: 'the-admin-token', info: { ...info, kind: 'admin' } },
        'PUT /v1/admin/users/ada/name': { ...user, displayName: 'Ada King' },
        'POST /v1/admin/users/ada/disable': { ...user, disabled: true },
        'POST /v1/admin/users/ada/enable': user,
        'DELETE /v1/admin/users/ada': { username: 'ada', homeRemoved: false },
        'GET /v1/admin/users/ada/tokens': { tokens: [info] },
        'POST /v1/admin/users/ada/promote': user,
        'POST /v1/admin/users/ada/demote': user,
        'GET /v1/admin/boxes': {
          boxes: [
            {
              username: 'ada',
              state: 'running',
              startedMs: 1,
              stopsAtMs: null,
              holders: [{ kind: 'viewer', count: 2 }],
              load,
            },
            { username: 'bob', state: 'stopped', startedMs: null },
          ],
        },
        'POST /v1/admin/boxes/ada/stop': { username: 'ada', state: 'stopped', startedMs: null },
        'GET /v1/admin/status': {
          health: { ...health, status: 'degraded', problems: ['Docker does not answer.'] },
          startedMs: 1,
          disks: [{ holds: 'all', freeBytes: 2 ** 30, totalBytes: 2 ** 31 }],
        },
        'GET /v1/admin/keys': { keys, rotation },
        'POST /v1/admin/keys/rotate-data': { users: 2, keys, rotation: { owners: 2, resealed: 7, unopened: 1 } },
        'POST /v1/admin/keys/rotate-seal': { users: 1, sealed: 3, unopened: 0 },
        'POST /v1/admin/keys/rewrap': { rewrapped: 3, keys: keys.slice(1), rotation },
        'GET /v1/admin/users/ada/quota': quota,
        'PUT /v1/admin/users/ada/quota': quota,
        'GET /v1/admin/usage': { users: [quota], total: quota.usage },
        'GET /v1/admin/tokens': { tokens: [{ ...info, kind: 'admin' }] },
        'DELETE /v1/admin/tokens/k1': {},
        'GET /v1/admin/audit?after=0&limit=1000': { removedTo: 0, entries: [entry], next: null },
      };
      const answer = answers[line];
      if (answer !== undefined)
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      else
        response
          .writeHead(404, { 'content-type': problemMediaType })
          .end(JSON.stringify(toProblem(new SpoonError('not-found'))));
    });
  });

  before(async () => {
    machine = await PersonsMachine.create();
    await mkdir(join(machine.homeDir, 'work', 'admin'), { recursive: true });
    server.listen(join(machine.homeDir, 'work', 'admin', 'admin.sock'));
    await once(server, 'listening');
    machine.env = { SPOON_AGENT_WORKDIR: join(machine.homeDir, 'work') };
  });
  after(async () => {
    await new Promise((done) => server.close(done));
    await machine[Symbol.asyncDispose]();
  });

  it('shows how it stands, and each box with what holds it', async () => {
    const status = await machine.run(['admin', 'status']);
    assert.match(
      status.stdout.toString(),
      /docker boxes.*\nHealth +with problems:\n +Docker does not answer\.\nDisk +1\.0 GiB of 2\.0 GiB free/,
    );
    const boxes = await machine.run(['boxes', 'ls']);
    assert.match(boxes.stdout.toString(), /ada +running .*150 % +1\.0 MiB of 2\.0 GiB +7 +2 × viewer/);
    assert.match(boxes.stdout.toString(), /bob +stopped +- +- +- +- +-/);
    assert.match((await machine.run(['boxes', 'stop', 'ada'])).stdout.toString(), /The box of ada is stopped\./);
  });

  it('exports the audit as it is, with nothing in it that acts on a terminal', async () => {
    const text = (await machine.run(['admin', 'audit', 'export'])).stdout.toString();
    assert.doesNotMatch(text.trimEnd(), /[\p{Cc}\p{Bidi_Control}]/u);
    assert.deepEqual(JSON.parse(text), entry);
  });

  it('shows and sets what a user may use, in units that people write', async () => {
    const shown = await machine.run(['users', 'quota', 'ada']);
    assert.match(shown.stdout.toString(), /Memory +256 MiB +1\.0 GiB +set for ada\nCPUs +70 % +1\.5 +set for ada\n/);
    assert.match(shown.stdout.toString(), /Their size +10 B +what the disk has\nHome +- +20 GiB +set for ada/);
    const set = ['--memory', '1g', '--cpus', '1.5', '--home', '20 GiB', '--dotfiles-size', 'default'];
    assert.equal((await machine.run(['users', 'quota', 'ada', ...set])).code, 0);
    const body = { memoryBytes: 2 ** 30, cpus: 1.5, homeBytes: 20 * 2 ** 30, dotfileBytes: null };
    assert.deepEqual(seen.at(-1), { line: 'PUT /v1/admin/users/ada/quota', authorization: undefined, body });
    await machine.run(['users', 'quota', 'ada', '--reset', '--pids', '100']);
    const reset = {
      memoryBytes: null,
      cpus: null,
      terminals: null,
      dotfiles: null,
      dotfileBytes: null,
      homeBytes: null,
    };
    assert.deepEqual(seen.at(-1)?.body, { ...reset, processes: 100 });
    const usage = await machine.run(['usage']);
    assert.match(usage.stdout.toString(), /ada +70 % +256 MiB +12 +2 +3 +2\.0 KiB +-\nall +70 %/);
  });

  it('asks for nothing with a limit that is no number or size (row 95)', async () => {
    const before = seen.length;
    for (const wrong of ['-1', '4', '1GB ', '1e18', 'g', '', '0x10g']) {
      const { code, stderr } = await machine.run(['users', 'quota', 'ada', `--memory=${wrong}`]);
      assert.deepEqual([code, stderr.includes('512m')], [2, true], `${wrong}: ${stderr}`);
    }
    assert.equal((await machine.run(['users', 'quota', 'ada', '--pids=1.5'])).code, 2);
    assert.equal(seen.length, before);
  });

  it('makes and unmakes administrators', async () => {
    assert.match((await machine.run(['users', 'promote', 'ada'])).stdout.toString(), /ada may administer/);
    assert.match((await machine.run(['users', 'demote', 'ada'])).stdout.toString(), /no longer an administrator/);
    assert.match((await machine.run(['users', 'ls'])).stdout.toString(), /ada .* running +3 +2\.0 KiB +admin/);
  });

  it('adds a user over the admin socket, without a token', async () => {
    const { code, stdout } = await machine.run(['users', 'add', 'Ada Lovelace', '--shell', '/bin/zsh', '--json']);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout.toString()), user);
    const expected = { displayName: 'Ada Lovelace', shell: '/bin/zsh' };
    assert.deepEqual(seen.at(-1), { line: 'POST /v1/admin/users', authorization: undefined, body: expected });
  });

  it('prints a new token alone on stdout', async () => {
    const { stdout, stderr } = await machine.run([
      'tokens',
      'create',
      '--user',
      'ada',
      '--name',
      'laptop',
      '--days',
      '30',
    ]);
    assert.equal(stdout.toString(), 'the-new-token\n');
    assert.match(stderr, /not shown again/);
    assert.deepEqual(seen.at(-1)?.body, { name: 'laptop', lifeDays: 30 });
  });

  it('makes, lists and revokes tokens of administrators', async () => {
    const { stdout } = await machine.run(['tokens', 'create', '--admin', '--name', 'ops']);
    assert.equal(stdout.toString(), 'the-admin-token\n');
    assert.equal(seen.at(-1)?.line, 'POST /v1/admin/tokens');
    assert.deepEqual(seen.at(-1)?.body, { name: 'ops' });
    const list = await machine.run(['tokens', 'ls', '--admin']);
    assert.match(list.stdout.toString(), /^k1 +laptop +admin /m);
    assert.equal((await machine.run(['tokens', 'revoke', 'k1', '--admin'])).code, 0);
    assert.equal(seen.at(-1)?.line, 'DELETE /v1/admin/tokens/k1');
  });

  it('lists users with names as text', async () => {
    const { stdout } = await machine.run(['users', 'ls']);
    const lines = stdout.toString().trimEnd().split('\n');
    assert.match(lines[1] ?? '', /^ada +Ada Lovelace +\d{4}-/);
    assert.match(lines[2] ?? '', /^bob +Bob\\x1b\[2J +.* disabled$/);
  });

  it('renames, disables and enables a user', async () => {
    const renamed = await machine.run(['users', 'rename', 'ada', 'Ada King']);
    assert.equal(renamed.stdout.toString(), 'ada is now shown as Ada King.\n');
    assert.deepEqual(seen.at(-1)?.body, { displayName: 'Ada King' });
    assert.match((await machine.run(['users', 'disable', 'ada'])).stdout.toString(), /^Disabled ada\./);
    assert.equal(seen.at(-1)?.line, 'POST /v1/admin/users/ada/disable');
    assert.match((await machine.run(['users', 'enable', 'ada'])).stdout.toString(), /^Enabled ada\./);
    assert.match((await machine.run(['users', 'tokens', 'ada'])).stdout.toString(), /^k1 +laptop +user /m);
  });

  it('removes a user only when the username is given once more', async () => {
    const before = seen.length;
    const unconfirmed = await machine.run(['users', 'rm', 'ada']);
    assert.equal(unconfirmed.code, 2);
    assert.match(unconfirmed.stderr, /Nothing was removed\. Say --confirm ada/);
    assert.equal(seen.length, before);
    const { code, stdout, stderr } = await machine.run(['users', 'rm', 'ada', '--confirm', 'ada']);
    assert.deepEqual([code, stdout.toString()], [0, 'Removed ada.\n']);
    assert.match(stderr, /could not be erased now/);
    assert.deepEqual(seen.at(-1)?.body, { confirm: 'ada' });
  });

  it('makes a root key without asking anybody, shows which are in use, and moves to the current one', async () => {
    const before = seen.length;
    const made = (await machine.run(['admin', 'keys', 'generate'])).stdout.toString().trim();
    assert.equal(Buffer.from(made, 'base64').length, 32);
    assert.equal(seen.length, before);
    const status = (await machine.run(['admin', 'keys', 'status'])).stdout.toString();
    assert.match(status, /aaaaaaaa .* 3 +old, not given to the service\nbbbbbbbb .* 0 +current/);
    assert.match((await machine.run(['admin', 'keys', 'rewrap'])).stdout.toString(), /^Moved 3 data keys\./);
  });

  it('exchanges data keys and seal keys of one user, or of all', async () => {
    const data = await machine.run(['admin', 'keys', 'rotate-data', '--all']);
    assert.match(
      data.stdout.toString(),
      /New data keys for 2 users.*\n.*7 values sealed anew so far\. 1 values do not open/,
    );
    assert.deepEqual(seen.at(-1)?.body, {});
    const sealKeys = await machine.run(['admin', 'keys', 'rotate-seal', 'ada', '--older-than', '90']);
    assert.match(sealKeys.stdout.toString(), /^New seal keys for 1 users; 3 stored values/);
    assert.deepEqual(seen.at(-1)?.body, { username: 'ada', minAgeMs: 90 * 24 * 3_600_000 });
    assert.equal((await machine.run(['admin', 'keys', 'rotate-data'])).code, 2);
  });

  it('passes refusals on', async () => {
    assert.equal((await machine.run(['tokens', 'create', '--user', 'eve'])).code, 4);
    assert.equal((await machine.run(['tokens', 'create', '--admin', '--user', 'ada'])).code, 2);
    assert.equal((await machine.run(['tokens', 'create', '--user', 'ada', '--days', 'x'])).code, 2);
  });

  it('says where it looked when no service runs here', async () => {
    machine.env = { SPOON_AGENT_WORKDIR: join(machine.homeDir, 'elsewhere') };
    const { code, stderr } = await machine.run(['users', 'ls']);
    assert.equal(code, 3);
    assert.match(stderr, /elsewhere\/admin\/admin\.sock/);
  });

  it('prefers the service that the environment names', async () => {
    machine.env = { SPOON_AGENT_WORKDIR: join(machine.homeDir, 'work'), SPOON_URL: 'http://127.0.0.1:1' };
    const before = seen.length;
    assert.equal((await machine.run(['users', 'ls'])).code, 3);
    assert.equal(seen.length, before);
  });

  for (const shell of ['bash', 'fish', 'zsh']) {
    it(`completes in ${shell}`, async () => {
      const { code, stdout } = await machine.run(['completion', shell]);
      assert.equal(code, 0);
      assert.match(stdout.toString(), /history/);
      if (shell !== 'bash') return;
      const script = `${stdout}\nCOMP_WORDS=(spoonctl dotfiles h); COMP_CWORD=2; _spoonctl; echo "\${COMPREPLY[@]}"
        COMP_WORDS=(spoonctl dotfiles put x --m); COMP_CWORD=4; _spoonctl; echo "\${COMPREPLY[@]}"`;
      assert.equal(spawnSync('bash', ['-c', script]).stdout.toString(), 'history\n--mode\n');
    });
  }
});
