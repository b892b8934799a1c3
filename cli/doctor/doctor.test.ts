import assert from 'node:assert/strict';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { formatToken } from '../../protocol/tokenFormat.ts';
import { MemoryService } from '../../test/fixtures/memoryService.fixture.ts';
import { health } from '../../test/fixtures/protocolService.fixture.ts';
import { PersonsMachine } from '../../test/fixtures/spoonctl.fixture.ts';
import type { Check } from './checks.ts';

const secret = 'x'.repeat(43);
const token = formatToken({ kind: 'u', id: 'TEST00000000', secret });
const dayMs = 24 * 3_600_000;

interface Report {
  readonly code: number | null;
  readonly text: string;
  /** Name, and state: what is not in here was not looked at. */
  readonly states: Readonly<Record<string, Check['state']>>;
  row(name: string): Check;
}

describe('spoonctl doctor', { timeout: 120_000 }, () => {
  let memory: MemoryService;
  let machine: PersonsMachine;
  const undo: (() => void)[] = [];
  before(async () => {
    memory = await MemoryService.start(token);
    memory.service.attach('events', (socket) => socket.send('{"type":"hello","instanceId":"test-instance"}'));
  });
  after(() => memory[Symbol.asyncDispose]());
  beforeEach(async () => {
    machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: memory.service.url, SPOON_TOKEN: token };
  });
  afterEach(async () => {
    for (const back of undo.splice(0).reverse()) back();
    await machine[Symbol.asyncDispose]();
  });

  const examine = async (): Promise<Report> => {
    const { code, stdout, stderr } = await machine.run(['doctor', '--json']);
    assert.equal(stderr, '');
    const { checks, failed } = JSON.parse(stdout.toString()) as { checks: Check[]; failed: number };
    assert.equal(code, failed === 0 ? 0 : 1);
    const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
    const row = (name: string) => checks.find((check) => check.name === name) ?? assert.fail(`${name}: ${stdout}`);
    return { code, text: stdout.toString(), states, row };
  };
  const answer = (...given: Parameters<MemoryService['service']['override']>) =>
    undo.push(memory.service.override(...given));

  it('finds nothing wrong, and says of each row which side it is about', async () => {
    const { code, states, row } = await examine();
    assert.equal(code, 0);
    assert.ok(
      Object.values(states).every((state) => state === 'ok'),
      JSON.stringify(states),
    );
    assert.deepEqual(['spoonctl', 'WebSockets', 'Box'].map((name) => [row(name).side, row(name).of]).slice(1), [
      ['service', new URL(memory.service.url).host],
      ['box', 'ada'],
    ]);
    const { stdout } = await machine.run(['doctor']);
    assert.match(stdout.toString(), /^This machine \(.*\)\n {2}ok {7}spoonctl/);
    assert.match(
      stdout.toString(),
      /\nYour box \(ada\)\n {2}ok {7}Box .*running[\s\S]*\nNothing failed, 0 warnings\.\n$/,
    );
  });

  it('shows neither a token nor what a proxy is given', async () => {
    machine.env = {
      ...{ SPOON_URL: 'https://spoon.invalid', SPOON_TOKEN: token },
      HTTPS_PROXY: 'http://somebody:canary-pw@proxy.invalid:3128',
    };
    const { text, row } = await examine();
    assert.ok(!text.includes(secret) && !text.includes('canary-pw') && !text.includes('somebody'));
    assert.deepEqual([row('Proxy').state, row('Proxy').found.includes('proxy.invalid:3128')], ['warning', true]);
    assert.match(row('Proxy').advice ?? '', /NODE_USE_ENV_PROXY=1/);
    assert.equal(row('Answer').state, 'failed');
    machine.env.HTTPS_PROXY = 'canary-pw';
    assert.ok(!(await examine()).text.includes('canary-pw'));
  });

  it('without a sign-in, says how to get one and looks at what needs none', async () => {
    machine.env = {};
    const nothing = await examine();
    assert.deepEqual([nothing.code, nothing.row('Sign-in').advice], [1, 'Sign in with: spoonctl login']);
    assert.match(
      (await machine.run(['doctor'])).stdout.toString(),
      /No service was looked at\.\n\n1 failed, 0 warnings\.\n/,
    );
    machine.env = { SPOON_URL: memory.service.url };
    const { states } = await examine();
    const wanted = { spoonctl: 'ok', 'Sign-in': 'failed', Answer: 'ok', Clock: 'ok', Version: 'ok', Health: 'ok' };
    assert.deepEqual(states, wanted);
  });

  it('tells a service that is away, one of another version, and something else that answers there', async () => {
    answer('health', () => ({ ...health, apiVersion: 99 }));
    assert.match((await examine()).row('Answer').found, /Update Spoon on this machine/);
    answer('health', (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello'));
    assert.match((await examine()).row('Answer').found, /other than JSON/);
    await memory.service.pause();
    const { row, states } = await examine().finally(() => memory.service.resume());
    assert.match(row('Answer').found, /nothing listens there/);
    assert.match(row('Answer').advice ?? '', /service runs/);
    assert.equal(states.Box, undefined);
  });

  it('tells a token that has expired, is not taken, ends soon, or is none', async () => {
    const listed = (expiresMs: number) => () => ({
      tokens: [{ id: 'TEST00000000', name: 'x', kind: 'user', scopes: [], createdMs: 1, expiresMs, lastUsedMs: null }],
    });
    const user = { id: 'u1', username: 'ada', displayName: 'Ada', createdMs: 1, disabled: false };
    answer('me', () => ({ kind: 'user', user, scopes: ['tokens:manage'] }));
    answer('listTokens', listed(Date.now() + 2 * dayMs));
    assert.deepEqual([(await examine()).states.Token, (await examine()).code], ['warning', 0]);
    answer('listTokens', listed(Date.now() + 30 * dayMs));
    assert.equal((await examine()).states.Token, 'ok');
    answer('me', () => {
      throw new SpoonError('token-expired');
    });
    const expired = await examine();
    assert.deepEqual(
      [expired.row('Account').state, expired.row('Account').advice],
      ['failed', 'Sign in with: spoonctl login'],
    );
    machine.env.SPOON_TOKEN = `${token.slice(0, -1)}!`;
    const before = memory.service.received.length;
    const broken = await examine();
    assert.match(broken.row('Sign-in').found, /SPOON_TOKEN holds is not a whole Spoon token\. It was not sent\./);
    assert.ok(memory.service.received.slice(before).every(({ headers }) => headers.authorization === undefined));
  });

  it('tells a clock that is off, in both directions', async () => {
    for (const [offMs, words] of [
      [5 * 60_000, /5 min behind/],
      [-3 * dayMs, /3 days ahead of/],
    ] as const) {
      answer('me', (_, response) => {
        response.setHeader('date', new Date(Date.now() + offMs).toUTCString());
        throw new SpoonError('unauthenticated');
      });
      answer('health', (_, response) => {
        response.setHeader('date', new Date(Date.now() + offMs).toUTCString());
        return health;
      });
      const { row } = await examine();
      assert.deepEqual([row('Clock').state, words.test(row('Clock').found)], ['warning', true], row('Clock').found);
    }
  });

  it('tells a way on which WebSockets do not pass', async () => {
    answer('createTicket', () => ({ ticket: 'nobody-knows-it', expiresInMs: 30_000 }));
    const { code, row } = await examine();
    assert.deepEqual([code, row('WebSockets').state], [1, 'failed']);
    assert.match(row('WebSockets').found, /refused with 401.*proxy/);
  });

  it('goes on where the authorities cannot be read', async () => {
    const file = join(machine.homeDir, 'ca.pem');
    for (const [name, text] of [
      ['/nowhere/ca.pem', undefined],
      [file, 'no certificate'],
    ] as const) {
      machine.env.SPOON_CA_FILE = name;
      if (text !== undefined) await writeFile(name, text);
      const others = await machine.run(['whoami']);
      assert.deepEqual([others.code, others.stderr.includes(name)], [2, true], 'other commands end there');
      const { states, row } = await examine();
      assert.deepEqual([states.Authorities, states.Box], ['failed', 'ok']);
      assert.ok(row('Authorities').found.includes(name));
    }
  });

  it('tells a stored sign-in that others could read, and one that is broken', async () => {
    machine.env = {};
    const folder = join(machine.homeDir, '.config', 'spoon');
    const file = join(folder, 'credentials.json');
    await mkdir(folder, { recursive: true });
    const services = { [memory.service.url]: { token, instanceId: 'test-instance', username: 'ada' } };
    await writeFile(file, JSON.stringify({ version: 1, default: memory.service.url, services }));
    await chmod(file, 0o644);
    const open = await examine();
    assert.deepEqual([open.code, open.states['Stored sign-in'], open.states['Sign-in']], [0, 'warning', 'ok']);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    await writeFile(file, '{ broken');
    assert.match((await examine()).row('Sign-in').found, /not what spoonctl wrote/);
  });

  it('tells of the box what is wrong with it', async () => {
    const box = {
      state: 'running',
      engine: 'docker',
      username: 'ada',
      home: '/home/ada',
      startedMs: 1,
      holders: [],
      stopsAtMs: null,
    };
    const stage = { name: 'setup', state: 'failed', startedMs: 1, durationMs: 2_000, exitCode: 3 };
    answer('box', () => ({ ...box, silentMs: 40_000, outdated: ['image'], stages: [stage] }));
    const ill = await examine();
    assert.deepEqual(
      [ill.code, ill.row('Box').state, ill.row('Set-up').advice],
      [0, 'warning', 'See why: spoonctl dotfiles repo log'],
    );
    answer('box', () => ({ ...box, state: 'failed', startedMs: null, stages: [], detail: 'Docker has no image x.' }));
    const failed = await examine();
    assert.deepEqual([failed.code, failed.row('Box').found], [1, 'Docker has no image x.']);
  });
});
