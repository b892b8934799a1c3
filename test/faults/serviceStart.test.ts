import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { operatorCall } from '../fixtures/httpSide.fixture.ts';
import { buildBoxdOnce, ServiceProcess } from '../fixtures/serviceProcess.fixture.ts';

const newKey = () => randomBytes(32).toString('base64');

/** Names, modes, sizes, times and contents of a folder, as one text. */
async function fingerprint(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name);
    const { mode, size, mtimeMs } = await stat(path);
    const isFile = (mode & 0o170000) === 0o100000;
    const hash = isFile ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
    lines.push(`${name} ${mode} ${isFile ? size : ''} ${mtimeMs} ${hash}`);
  }
  return lines.join('\n');
}

describe('the start of the service', () => {
  let folder: string;
  const started: ServiceProcess[] = [];
  /** One working directory for all that start: laying boxd out costs a second. */
  const key = { SPOON_ENCRYPTION_KEY: newKey() };
  before(async () => {
    await buildBoxdOnce();
    folder = await mkdtemp(join(tmpdir(), 'spoon-start-'));
  });
  after(async () => {
    for (const service of started) await service.end('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** Without an engine, so that nothing but the service itself starts. */
  function start(workdir: string, environment: Record<string, string> = {}): ServiceProcess {
    const service = new ServiceProcess({
      SPOON_AGENT_WORKDIR: join(folder, workdir),
      SPOON_LISTEN: '127.0.0.1:0',
      SPOON_ENGINE: 'docker',
      DOCKER_HOST: `unix://${folder}/no-docker.sock`,
      ...environment,
    });
    started.push(service);
    return service;
  }
  async function refuses(service: ServiceProcess, exitCode: number, words: RegExp): Promise<void> {
    assert.equal(await service.exited, exitCode, service.errors);
    assert.match(service.errors, words);
    assert.doesNotMatch(service.errors, /\n\s+at /, 'no stack');
  }

  it('says when it is ready, and what is missing when there is no engine', async () => {
    const service = start('work', { ...key, SPOON_AGENT_NETWORK: 'x' });
    const { url, engine, pid, instanceId } = await service.ready;
    assert.equal(pid, service.child.pid);
    assert.equal(engine, 'docker');
    const health = (await (await fetch(`${url}/v1/health`)).json()) as Record<string, unknown>;
    assert.equal(health.status, 'degraded');
    assert.equal(health.instanceId, instanceId);
    assert.match(String(health.problems), /does not answer/);
    assert.equal((await fetch(`${url}/health/live`)).status, 200);
    const notReady = await fetch(`${url}/health/ready`);
    const { code, detail } = (await notReady.json()) as Record<string, unknown>;
    assert.deepEqual([notReady.status, code, detail], [503, 'not-ready', 'The container engine does not answer.']);
    assert.ok(service.lines.some(({ text }) => text === 'SPOON_AGENT_NETWORK has no effect in this version.'));
    // Dotfiles work without boxes; what needs one says so within 2 s.
    const admin = join(folder, 'work/admin/admin.sock');
    await operatorCall(admin, 'POST', '/v1/admin/users', { displayName: 'Ada' });
    const { body } = await operatorCall(admin, 'POST', '/v1/admin/users/ada/tokens', { name: 'x' });
    const headers = { authorization: `Bearer ${body.token}`, 'content-type': 'application/octet-stream' };
    const saved = await fetch(`${url}/v1/dotfiles/content?path=.bashrc`, { method: 'PUT', headers, body: 'x' });
    assert.match(await saved.text(), /"boxOff"/);
    const opened = await fetch(`${url}/v1/box/start`, {
      method: 'POST',
      headers: { authorization: headers.authorization },
    });
    assert.equal(opened.status, 503);
    assert.equal(await service.end(), 0);
  });

  it('keeps a working directory to one service', async () => {
    const first = start('work', key);
    await first.ready;
    await refuses(start('work', key), 75, new RegExp(`Process ${first.child.pid} holds it`));
    await first.end('SIGKILL');
    const next = start('work', key);
    await next.ready;
    assert.equal(await next.end(), 0);
  });

  it('refuses a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const service = start('work', { ...key, SPOON_LISTEN: `127.0.0.1:${port}` });
    await refuses(service, 69, new RegExp(`Port ${port} is taken`));
    server.close();
  });

  it('refuses a working directory that cannot be written', async () => {
    const service = start('x', { SPOON_ENCRYPTION_KEY: newKey(), SPOON_AGENT_WORKDIR: '/proc/spoon-test' });
    await refuses(service, 73, /SPOON_AGENT_WORKDIR is \/proc\/spoon-test: no such file or directory\. Set it to /);
  });

  it('refuses a wrong setting by name', async () => {
    await refuses(
      start('x', { SPOON_ENGINE: 'podman' }),
      78,
      /SPOON_ENGINE is "podman". Accepted: auto, docker or process/,
    );
  });

  const keys: [string, () => Record<string, string>, RegExp][] = [
    ['no key', () => ({}), /SPOON_ENCRYPTION_KEY.*INSTANCE_SECRET/],
    ['31 bytes', () => ({ SPOON_ENCRYPTION_KEY: randomBytes(31).toString('base64') }), /exactly 32 bytes/],
    [
      'hex with spaces',
      () => ({ SPOON_ENCRYPTION_KEY: `${randomBytes(16).toString('hex')} ${'0'.repeat(32)}` }),
      /exactly 32/,
    ],
    ['all zero', () => ({ SPOON_ENCRYPTION_KEY: '0'.repeat(64) }), /not a random key/],
    ['a key file that others may read', () => keyFile('open', 0o644), /others may read/],
  ];
  function keyFile(name: string, mode: number): Record<string, string> {
    const path = join(folder, name);
    writeFileSync(path, newKey(), { mode });
    return { SPOON_ENCRYPTION_KEY_FILE: path };
  }
  for (const [name, environment, words] of keys) {
    it(`refuses ${name} without making anything`, async () => {
      const given = environment();
      const service = start(`key-${name}`, given);
      await refuses(service, 78, words);
      await assert.rejects(stat(join(folder, `key-${name}`)), { code: 'ENOENT' });
      const secret = given.SPOON_ENCRYPTION_KEY ?? given.INSTANCE_SECRET;
      if (secret !== undefined) assert.ok(!(service.errors + JSON.stringify(service.lines)).includes(secret));
    });
  }

  it('refuses another key than the database was made with, and leaves every byte as it was', async () => {
    const service = start('work', key);
    await service.ready;
    await service.end();
    const before = await fingerprint(join(folder, 'work'));
    await refuses(start('work', { SPOON_ENCRYPTION_KEY: newKey() }), 78, /does not belong to this database/);
    assert.equal(await fingerprint(join(folder, 'work')), before);
  });

  it('refuses a database of a newer Spoon, and leaves every byte as it was', async () => {
    const service = start('newer', key);
    await service.ready;
    await service.end();
    const database = new DatabaseSync(join(folder, 'newer', 'spoon.db'));
    database.exec("INSERT INTO migrations VALUES (999, 'from the future', 1); PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    const before = await fingerprint(join(folder, 'newer'));
    await refuses(start('newer', key), 78, /written by a newer Spoon.*Start the newer Spoon again/);
    assert.equal(await fingerprint(join(folder, 'newer')), before);
  });

  it('goes on with a user who was removed right before it ended: the home is out of the way', async () => {
    const service = start('removed', key);
    await service.ready;
    await service.end();
    const database = new DatabaseSync(join(folder, 'removed', 'spoon.db'));
    database.exec("INSERT INTO former_users VALUES ('eve', 1)");
    database.close();
    const homes = join(folder, 'removed', 'homes');
    for (const name of ['eve', 'ada']) await mkdir(join(homes, name), { recursive: true });
    const uid = process.getuid?.() || 100_001;
    await chown(join(homes, 'eve'), uid, uid);
    const again = start('removed', key);
    await again.ready;
    const [aside, ...others] = (await readdir(homes)).sort();
    assert.ok(aside?.startsWith(`.removed-${uid}-`), aside);
    assert.deepEqual(others, ['ada']);
    await again.end();
  });

  it('stops gracefully: finishes what it was asked for, tells who listens, and is gone', async () => {
    const service = start('work', key);
    const { url } = await service.ready;
    const admin = join(folder, 'work/admin/admin.sock');
    const user = await operatorCall(admin, 'POST', '/v1/admin/users', { displayName: 'Bo' });
    const { body } = await operatorCall(admin, 'POST', `/v1/admin/users/${user.body.username}/tokens`, { name: 'x' });
    const headers = { authorization: `Bearer ${body.token}`, 'content-type': 'application/json' };
    const post = { method: 'POST', headers, body: JSON.stringify({ kind: 'events' }) };
    const { ticket } = (await (await fetch(`${url}/v1/tickets`, post)).json()) as { ticket: string };
    const events = new WebSocket(`${url.replace('http', 'ws')}/v1/events`, ['spoon.v1', `spoon.ticket.${ticket}`]);
    await once(events, 'open');

    // A save of which only the half has arrived when the signal comes.
    const { port } = new URL(url);
    const upload = connect(Number(port), '127.0.0.1');
    upload.setEncoding('utf8');
    upload.write(
      `PUT /v1/dotfiles/content?path=.half HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${body.token}\r\n` +
        'Content-Type: application/octet-stream\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n',
    );
    const [go] = await once(upload, 'data');
    assert.match(String(go), /^HTTP\/1\.1 100 /);
    upload.write('hello');
    const closed = once(events, 'close');
    service.child.kill('SIGTERM');
    const [code] = await closed;
    assert.equal(code, 1012);
    await assert.rejects(fetch(`${url}/v1/health`), 'nothing new is taken');
    const answer = once(upload, 'data');
    upload.write('world');
    assert.match(String((await answer)[0]), /^HTTP\/1\.1 200 /);
    upload.destroy();
    assert.equal(await service.exited, 0);
    await assert.rejects(stat(admin), { code: 'ENOENT' });
  });

  it('ends at once when told twice', async () => {
    const service = start('work', key);
    const { url } = await service.ready;
    const half = connect(Number(new URL(url).port), '127.0.0.1');
    half.on('error', () => undefined);
    half.write('POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n');
    await once(half, 'connect');
    service.child.kill('SIGTERM');
    await until(() => service.lines.some(({ event }) => event === 'stopping'));
    service.child.kill('SIGTERM');
    const code = await service.exited;
    assert.ok(code === 143 || code === 0, String(code));
    half.destroy();
  });

  async function until(condition: () => boolean): Promise<void> {
    for (const endMs = performance.now() + 20_000; !condition(); ) {
      assert.ok(performance.now() < endMs, 'in time');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
});
