import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, symlink, unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { Check } from '../../cli/doctor/checks.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { PersonsMachine } from '../fixtures/spoonctl.fixture.ts';

describe('the doctor of a real service', { timeout: 120_000 }, () => {
  let side: TestHttpSide;
  let machine: PersonsMachine;
  let socket: string;
  before(async () => {
    side = await TestHttpSide.start();
    machine = await PersonsMachine.create();
    socket = join(machine.homeDir, 'work', 'admin', 'admin.sock');
    await mkdir(join(socket, '..'), { recursive: true });
    await symlink(side.adminSocket, socket);
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await side[Symbol.asyncDispose]();
  });
  const asOperator = () => ({ SPOON_AGENT_WORKDIR: join(machine.homeDir, 'work') });
  const examine = async () => {
    const { code, stdout, stderr } = await machine.run(['doctor', '--json']);
    assert.equal(stderr, '');
    const { checks } = JSON.parse(stdout.toString()) as { checks: Check[] };
    return { code, lines: checks.map(({ side: about, name, state }) => `${about} ${name} ${state}`) };
  };

  it('tells the operator of disk, keys, audit and backup, without a sign-in', async () => {
    machine.env = asOperator();
    const wanted = (backup: string) => [
      ...['machine spoonctl ok', 'machine Sign-in ok'],
      ...['Answer ok', 'Database ok', 'Root key ok', 'Engine ok', 'Disk warning'].map((row) => `service ${row}`),
      ...['Data keys ok', 'Audit ok', `Backup ${backup}`].map((row) => `service ${row}`),
    ];
    assert.deepEqual(await examine(), { code: 0, lines: wanted('warning') });
    assert.equal((await machine.run(['backup', 'create', join(machine.homeDir, 'x.backup')])).code, 0);
    assert.deepEqual(await examine(), { code: 0, lines: wanted('ok') });
  });

  it('tells an administrator the same from elsewhere, and a user of the own box', async () => {
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/tokens', { name: 'ops' });
    machine.env = { SPOON_URL: side.url, SPOON_TOKEN: String(body.token) };
    const admin = await examine();
    assert.deepEqual(
      [admin.code, admin.lines.filter((line) => /Token|Backup|WebSockets|^box/.test(line))],
      [0, ['service Token ok', 'service Backup ok']],
    );
    machine.env = { SPOON_URL: side.url, SPOON_TOKEN: await side.tokenOf('ada'), ...asOperator() };
    const both = await examine();
    assert.equal(both.code, 0);
    for (const line of [
      'service WebSockets ok',
      'service Token ok',
      'service Backup ok',
      'box Box ok',
      'box Dotfiles ok',
    ])
      assert.ok(both.lines.includes(line), `${line}: ${both.lines}`);
    assert.equal(both.lines.filter((line) => / Health | Disk /.test(line)).length, 1, 'told once, by who knows more');
  });

  it('tells a changed audit, and a service that is not running', async () => {
    machine.env = asOperator();
    const database = new DatabaseSync(join(side.folder, 'spoon.db'));
    database.exec('DROP TRIGGER audit_no_update; UPDATE audit SET time_ms = time_ms + 1 WHERE seq = 1');
    database.close();
    const changed = await examine();
    assert.deepEqual([changed.code, changed.lines.includes('service Audit failed')], [1, true]);
    // A socket at which nobody answers any more.
    const left = createServer().listen(join(machine.homeDir, 'left.sock'));
    await once(left, 'listening');
    await unlink(socket);
    await symlink(join(machine.homeDir, 'left.sock'), socket);
    left.on('connection', (client) => client.destroy());
    const gone = await examine();
    await new Promise((done) => left.close(done));
    assert.deepEqual([gone.code, gone.lines.at(-1)], [1, 'service Answer failed']);
  });
});
