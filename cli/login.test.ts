import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { spawn } from 'node-pty';
import { formatToken } from '../protocol/tokenFormat.ts';
import { MemoryService } from '../test/fixtures/memoryService.fixture.ts';
import { PersonsMachine, spoonctlFile } from '../test/fixtures/spoonctl.fixture.ts';

const token = formatToken({ kind: 'u', id: 'TEST00000000', secret: 'x'.repeat(43) });

describe('spoonctl login', { timeout: 120_000 }, () => {
  let memory: MemoryService;
  let machine: PersonsMachine;
  const file = (): string => join(machine.homeDir, '.config', 'spoon', 'credentials.json');

  before(async () => {
    memory = await MemoryService.start(token);
  });
  after(() => memory[Symbol.asyncDispose]());
  beforeEach(async () => {
    machine = await PersonsMachine.create();
    memory.service.received.length = 0;
  });
  afterEach(() => machine[Symbol.asyncDispose]());
  const login = async (): Promise<void> => {
    const { code, stderr } = await machine.run(['login', '--url', memory.service.url], `${token}\n`);
    assert.equal(code, 0, stderr);
  };

  it('remembers a checked token for its owner only, and everything then works without asking', async () => {
    await login();
    assert.deepEqual(JSON.parse(await readFile(file(), 'utf8')), {
      version: 1,
      default: memory.service.url,
      services: { [memory.service.url]: { token, instanceId: 'test-instance', username: 'ada' } },
    });
    assert.equal((await stat(file())).mode & 0o777, 0o600);
    assert.equal((await stat(join(file(), '..'))).mode & 0o777, 0o700);
    const who = await machine.run(['whoami']);
    assert.match(who.stdout.toString(), /^ada at 127\.0\.0\.1:\d+\n$/);
    const status = await machine.run(['status']);
    assert.match(status.stdout.toString(), /Box +running since .*\n +held by terminal bash in ~\n/);
    assert.equal(JSON.parse((await machine.run(['status', '--json'])).stdout.toString()).dotfiles, 0);
  });

  it('asks in a terminal and does not show the token', async () => {
    const pty = spawn(process.execPath, [spoonctlFile, 'login'], {
      cols: 200,
      cwd: machine.homeDir,
      env: machine.fullEnv,
    });
    let screen = '';
    pty.onData((data) => {
      const before = screen;
      screen += data;
      if (!before.includes('3921]:') && screen.includes('3921]:')) pty.write(`${memory.service.url}\r`);
      if (!before.includes('(not shown):') && screen.includes('(not shown):')) pty.write(`${token}\r`);
    });
    const code = await new Promise((done) => pty.onExit(({ exitCode }) => done(exitCode)));
    assert.equal(code, 0, screen);
    assert.match(screen, /Signed in at 127\.0\.0\.1:\d+ as ada\./);
    assert.ok(!screen.includes(token.slice(10, 30)));
  });

  it('stores nothing that the service refuses', async () => {
    const other = formatToken({ kind: 'u', id: 'TEST00000001', secret: 'y'.repeat(43) });
    const { code } = await machine.run(['login', '--url', memory.service.url], other);
    assert.equal(code, 3);
    await assert.rejects(stat(file()), { code: 'ENOENT' });
  });

  for (const [name, text] of [
    ['a password', 'correct horse'],
    ['half a token', token.slice(0, 40)],
    ['nothing', ''],
  ] as const) {
    it(`sends nothing when given ${name}`, async () => {
      const { code, stderr } = await machine.run(['login', '--url', memory.service.url], text);
      assert.equal(code, 2);
      assert.match(stderr, /not a whole Spoon token|No token was given/);
      assert.equal(memory.service.received.length, 0);
    });
  }

  it('keeps the own sign-in when given the token of an administrator, which it does not send', async () => {
    await login();
    const before = await readFile(file(), 'utf8');
    memory.service.received.length = 0;
    const admin = formatToken({ kind: 'a', id: 'TEST00000002', secret: 'z'.repeat(43) });
    const { code, stderr } = await machine.run(['login', '--url', memory.service.url], admin);
    assert.equal(code, 2);
    assert.match(stderr, /a token for administration.*SPOON_URL and SPOON_TOKEN/);
    assert.equal(await readFile(file(), 'utf8'), before);
    assert.equal(memory.service.received.length, 0);
  });

  it('closes a file that others could read, keeps a link a link, and forgets on logout', async () => {
    const kept = join(machine.homeDir, 'kept.json');
    await mkdir(join(file(), '..'), { recursive: true });
    await writeFile(kept, JSON.stringify({ version: 1, default: null, services: {} }), { mode: 0o644 });
    await chmod(kept, 0o644);
    await symlink(kept, file());
    await login();
    assert.equal((await stat(kept)).mode & 0o777, 0o600);
    assert.match(await readFile(kept, 'utf8'), /TEST00000000/);
    assert.equal((await machine.run(['logout'])).code, 0);
    assert.doesNotMatch(await readFile(kept, 'utf8'), /TEST00000000/);
    assert.equal((await machine.run(['whoami'])).code, 3);
    assert.equal((await machine.run(['logout'])).code, 3);
  });

  it('does not touch a credentials file that it cannot read', async () => {
    await mkdir(join(file(), '..'), { recursive: true });
    await writeFile(file(), '{ broken');
    const { code, stderr } = await machine.run(['login', '--url', memory.service.url], token);
    assert.equal(code, 2);
    assert.match(stderr, /Move it away/);
    assert.equal(await readFile(file(), 'utf8'), '{ broken');
  });
});
