import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import type { TerminalStates } from '../../protocol/boxd.ts';
import type { CommandMessage } from '../../protocol/terminalFrames.ts';
import { findDescendants } from '../processes/processTable.ts';
import { eventually } from '../testing/eventually.ts';
import { openDescriptors, residentBytes } from '../testing/processFacts.ts';
import { TestBox } from '../testing/testBox.ts';

type Exit = Extract<CommandMessage, { type: 'exit' }>;

class Run {
  stdout = Buffer.alloc(0);
  stderr = Buffer.alloc(0);
  receivedBytes = 0;
  takenBytes = 0;
  exit: Exit | undefined;
  acknowledge = true;
  readonly webSocket: WebSocket;
  readonly closed: Promise<number>;
  #onChange: (() => void) | undefined;

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    webSocket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        const bytes = data.subarray(1);
        this.receivedBytes += bytes.length;
        if (data[0] === 1) this.stdout = Buffer.concat([this.stdout, bytes]);
        else this.stderr = Buffer.concat([this.stderr, bytes]);
        if (this.acknowledge) this.say({ type: 'ack', offset: this.receivedBytes });
      } else {
        const message = JSON.parse(data.toString('utf8')) as CommandMessage;
        if (message.type === 'exit') this.exit = message;
        else this.takenBytes = message.offset;
      }
      this.#onChange?.();
    });
    this.closed = once(webSocket, 'close').then(([code]) => code);
  }

  say(message: unknown): void {
    this.webSocket.send(JSON.stringify(message));
  }

  input(bytes: Uint8Array): void {
    this.webSocket.send(Buffer.concat([Buffer.from([0]), bytes]));
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
  }
}

describe('a command', () => {
  let box: TestBox;
  let count = 0;
  before(async () => {
    box = await TestBox.start({
      prepare: (home) => {
        mkdirSync(join(home, 'src'));
        writeFileSync(join(home, '.bashrc'), 'export X=from-bashrc\n');
      },
    });
  });
  after(() => box.stop());

  async function prepare(argv: readonly string[], cwd = '', environment = {}): Promise<string> {
    const id = `c${++count}`;
    const reply = await box.request('POST', '/v1/commands', { id, argv, cwd, environment });
    assert.equal(reply.status, 200, reply.body.toString());
    return id;
  }
  async function start(argv: readonly string[], cwd = '', environment = {}): Promise<Run> {
    const run = new Run(await box.connect(`/v1/commands/${await prepare(argv, cwd, environment)}/attach`));
    run.say({ type: 'start', credit: 4 * 1024 * 1024 });
    return run;
  }
  async function runToEnd(argv: readonly string[], cwd = '', environment = {}): Promise<Run> {
    const run = await start(argv, cwd, environment);
    run.say({ type: 'stdinEnd' });
    assert.equal(await run.closed, 1000);
    return run;
  }

  it('passes its output on two channels, and its exit code', async () => {
    const run = await runToEnd(['sh', '-c', 'echo out; echo err >&2; exit 9']);
    assert.deepEqual(
      [run.stdout.toString(), run.stderr.toString(), run.exit],
      ['out\n', 'err\n', { type: 'exit', code: 9, signal: null }],
    );
  });

  it('runs in the folder and with the variables that were asked for, and reads the profile in a login shell', async () => {
    const run = await runToEnd(['bash', '-lic', 'pwd; echo $X $Y; echo $SPOON_SOCKET.'], 'src', { Y: 'why' });
    assert.equal(run.stdout.toString(), `${box.home}/src\nfrom-bashrc why\n.\n`);
  });

  it('passes binary input and output as they are', async () => {
    const bytes = randomBytes(3_000_000);
    const run = await start(['sh', '-c', 'tee /dev/stderr | sha256sum']);
    run.acknowledge = true;
    for (let at = 0; at < bytes.length; at += 50_000) {
      run.input(bytes.subarray(at, at + 50_000));
      await run.until(() => run.takenBytes > at - 200_000);
    }
    run.say({ type: 'stdinEnd' });
    assert.equal(await run.closed, 1000);
    assert.equal(run.takenBytes, bytes.length);
    assert.ok(run.stderr.equals(bytes));
    assert.equal(run.stdout.toString().slice(0, 64), createHash('sha256').update(bytes).digest('hex'));
  });

  it('has real pipes, which can be opened by name', async () => {
    const run = await start([
      'sh',
      '-c',
      'cat /dev/stdin > /dev/stdout; echo e > /dev/stderr; test -p /dev/stdin && echo pipe',
    ]);
    run.input(Buffer.from('in\n'));
    run.say({ type: 'stdinEnd' });
    await run.closed;
    assert.deepEqual([run.stdout.toString(), run.stderr.toString()], ['in\npipe\n', 'e\n']);
  });

  it('is told apart when it cannot start', async () => {
    writeFileSync(join(box.home, 'plain'), 'echo hi\n');
    writeFileSync(join(box.home, 'orphan'), '#!/no/such/interpreter\n');
    chmodSync(join(box.home, 'orphan'), 0o755);
    const table: [string[], number, RegExp][] = [
      [['no-such-command-here'], 127, /there is no such command/],
      [['./no-such-file'], 127, /there is no such command/],
      [['./plain'], 126, /may not be executed/],
      [['./src'], 126, /is a folder/],
      [['./orphan'], 126, /interpreter/],
    ];
    for (const [argv, code, detail] of table) {
      const { exit } = await runToEnd(argv);
      assert.equal(exit?.code, code, argv[0]);
      assert.match(exit?.detail ?? '', detail);
    }
  });

  it('names the signal that ended it', async () => {
    const { exit } = await runToEnd(['sh', '-c', 'kill -TERM $$']);
    assert.deepEqual(exit, { type: 'exit', code: 143, signal: 'SIGTERM' });
  });

  it('gets signals with its whole process group', async () => {
    const run = await start(['sh', '-c', 'trap "echo caught; exit 4" INT; echo ready; while :; do sleep 0.05; done']);
    await run.until(() => run.stdout.includes('ready'));
    run.say({ type: 'signal', name: 'SIGINT' });
    await run.closed;
    assert.equal(run.exit?.code, 4);
    assert.match(run.stdout.toString(), /caught/);
  });

  it('waits for a viewer that is behind, with flat memory', async () => {
    const run = await start(['yes']);
    run.acknowledge = false;
    await run.until(() => run.receivedBytes >= 4 * 1024 * 1024);
    const before = residentBytes(box.process.pid ?? 0);
    const seen = run.receivedBytes;
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.ok(run.receivedBytes <= seen + 128 * 1024, `${run.receivedBytes - seen}`);
    assert.ok(residentBytes(box.process.pid ?? 0) - before < 4 * 1024 * 1024);
    run.webSocket.terminate();
  });

  it('ends with its viewer, whatever it has started and however it clings', async () => {
    const run = await start(['sh', '-c', 'trap "" HUP; setsid sleep 4324 & echo ready; while :; do sleep 4325; done']);
    await run.until(() => run.stdout.includes('ready'));
    const id = `c${count}`;
    assert.equal((await box.request('GET', '/v1/terminals')).json<TerminalStates>().commands >= 1, true);
    run.webSocket.terminate();
    await eventually('all of it ended', () => findDescendants(-2, `SPOON_COMMAND_ID=${id}`).length === 0);
  });

  it('does not wait for what it left in the background', async () => {
    const run = await runToEnd(['sh', '-c', 'sleep 20 & echo done']);
    assert.deepEqual([run.stdout.toString(), run.exit?.code], ['done\n', 0]);
  });

  it('delivers what comes through a slow pipe after its own end', async () => {
    const run = await runToEnd(['bash', '-c', 'echo late > >(sleep 0.2; cat)']);
    assert.equal(run.stdout.toString(), 'late\n');
  });

  it('has one viewer only, and refuses nonsense', async () => {
    const id = await prepare(['cat']);
    const first = await box.connect(`/v1/commands/${id}/attach`);
    await assert.rejects(box.connect(`/v1/commands/${id}/attach`), /404/);
    const run = new Run(first);
    run.input(Buffer.from('too early'));
    assert.equal(await run.closed, 4400);
    for (const wrong of [[], [''], ['a\0b'], 'cat', Array(2_000).fill('a'), ['x'.repeat(200_000)]]) {
      const reply = await box.request('POST', '/v1/commands', {
        id: `c${++count}`,
        argv: wrong,
        cwd: '',
        environment: {},
      });
      assert.equal(reply.status, 422, JSON.stringify(wrong).slice(0, 40));
    }
  });

  it('leaves no descriptor and no child', async () => {
    const pid = box.process.pid ?? 0;
    await runToEnd(['true']);
    const before = openDescriptors(pid);
    for (let round = 0; round < 30; round++) await runToEnd(['true']);
    await eventually('no descriptor is left', () => openDescriptors(pid) <= before + 2);
  });
});
