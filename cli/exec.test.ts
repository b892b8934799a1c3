import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { MemoryService } from '../test/fixtures/memoryService.fixture.ts';
import { PersonsMachine, spoonctlFile } from '../test/fixtures/spoonctl.fixture.ts';

describe('spoonctl exec', { timeout: 120_000 }, () => {
  let memory: MemoryService;
  let machine: PersonsMachine;

  before(async () => {
    memory = await MemoryService.start('test-token');
    machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: memory.service.url, SPOON_TOKEN: 'test-token' };
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await memory[Symbol.asyncDispose]();
  });

  it('passes stdin, stdout, stderr and the exit code', async () => {
    const script = 'tr a-z A-Z; echo oops >&2; exit 7';
    const { code, stdout, stderr } = await machine.run(['exec', '--', 'sh', '-c', script], 'hello');
    assert.deepEqual({ code, stdout: stdout.toString(), stderr }, { code: 7, stdout: 'HELLO', stderr: 'oops\n' });
  });

  it('leaves the options of the command alone, with and without --', async () => {
    for (const args of [
      ['exec', '--', 'printf', '%s|', '--json', '-x', '--'],
      ['exec', 'printf', '%s|', '--json', '-x', '--'],
    ]) {
      assert.equal((await machine.run(args)).stdout.toString(), '--json|-x|--|');
    }
  });

  it('runs in the folder of a thread', async () => {
    await machine.run(['exec', '--thread', 'api/feat/x', '--', 'true']);
    const sent = memory.service.received.findLast(({ name }) => name === 'runCommand');
    assert.deepEqual(JSON.parse(String(sent?.body)), { argv: ['true'], thread: 'api/feat/x' });
  });

  it('passes many bytes both ways unharmed', async () => {
    const input = Buffer.alloc(9 * 2 ** 20 + 1, 'spoon feeds ');
    const { code, stdout } = await machine.run(['exec', '--', 'cat'], input);
    assert.equal(code, 0);
    assert.ok(stdout.equals(input));
  });

  it('ends although stdin stays open', async () => {
    const child = spawn(process.execPath, [spoonctlFile, 'exec', '--', 'true'], {
      env: machine.fullEnv,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });

  it('ends when nobody reads its output any more', async () => {
    const child = spawn(process.execPath, [spoonctlFile, 'exec', '--', 'yes'], {
      env: machine.fullEnv,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    assert.equal(code, 141);
  });

  it('passes Ctrl-C on', async () => {
    const script = 'trap "echo got it; exit 42" INT; echo ready; while :; do sleep 0.05; done';
    const child = spawn(process.execPath, [spoonctlFile, 'exec', '--', 'sh', '-c', script], {
      env: machine.fullEnv,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (data.toString().includes('ready')) child.kill('SIGINT');
    });
    const [code] = await once(child, 'exit');
    assert.equal(code, 42);
    assert.equal(output, 'ready\ngot it\n');
  });

  it('gives up at the third Ctrl-C', async () => {
    const script = 'trap "echo no" INT; echo no; while :; do sleep 0.05; done';
    const child = spawn(process.execPath, [spoonctlFile, 'exec', '--', 'sh', '-c', script], {
      env: machine.fullEnv,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.on('data', () => child.kill('SIGINT'));
    const [code] = await once(child, 'exit');
    assert.equal(code, 130);
  });

  it('says why a command cannot be run', async () => {
    const { code, stderr } = await machine.run(['exec', '--', '/no/such/program']);
    assert.equal(code, 127);
    assert.match(stderr, /ENOENT/);
  });

  it('says that the connection was lost, with a code of its own', async () => {
    const child = spawn(process.execPath, [spoonctlFile, 'exec', '--', 'sh', '-c', 'echo up; sleep 30'], {
      env: machine.fullEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    await once(child.stdout, 'data');
    for (const socket of memory.service.sockets) socket.terminate();
    const [code] = await once(child, 'exit');
    assert.equal(code, 69);
    assert.match(stderr, /The connection to the service was lost/);
  });
});
