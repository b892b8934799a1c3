import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type IPty, spawn } from 'node-pty';
import { MemoryService } from '../test/fixtures/memoryService.fixture.ts';
import { PersonsMachine, spoonctlFile } from '../test/fixtures/spoonctl.fixture.ts';

/** Before it, the shell has not set itself up and a Ctrl-C would end it. */
const prompt = /shell of[^#$]*[#$] /;
const secondPrompt = /shell of[^#$]*[#$] [^#$]*[#$] /;

/** A person at a terminal: a shell that runs spoonctl, and what is on the screen. */
class Person {
  readonly pty: IPty;
  screen = '';
  #wake: () => void = () => undefined;

  constructor(machine: PersonsMachine, command: string) {
    // The modes of the terminal are compared by the shell around it, and only then shown.
    const script = `before=$(stty -g); ${command}; code=$?; [ "$before" = "$(stty -g)" ] && echo "same modes, code $code"`;
    const env = { ...machine.fullEnv, SPOONCTL: `${process.execPath} ${spoonctlFile}` };
    this.pty = spawn('/bin/sh', ['-c', script], { cols: 90, rows: 20, cwd: machine.homeDir, env });
    this.pty.onData((data) => {
      this.screen += data;
      this.#wake();
    });
  }

  async sees(text: string | RegExp): Promise<void> {
    const isThere = (): boolean => (typeof text === 'string' ? this.screen.includes(text) : text.test(this.screen));
    while (!isThere()) await new Promise<void>((done) => (this.#wake = done));
  }
}

describe('spoonctl terminal', () => {
  let memory: MemoryService;
  let machine: PersonsMachine;
  let person: Person | undefined;
  const at = (command: string): Person => {
    person = new Person(machine, command);
    return person;
  };

  before(async () => {
    memory = await MemoryService.start('test-token');
    memory.terminalCommand = ['/bin/sh', '-c', 'echo shell of $$; stty size; exec /bin/sh'];
    machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: memory.service.url, SPOON_TOKEN: 'test-token', PS1: '$ ' };
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await memory[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    memory.service.received.length = 0;
  });
  afterEach(() => person?.pty.kill('SIGKILL'));

  it('is a shell with the size of the window, and ends with its code', { timeout: 30_000 }, async () => {
    const ada = at('$SPOONCTL terminal api/main');
    await ada.sees(/shell of \d+\r\n20 90\r\n[#$] /);
    ada.pty.write('echo $((6 * 7))\r');
    await ada.sees('\n42');
    ada.pty.resize(120, 40);
    ada.pty.write('while [ "$(stty size)" != "40 120" ]; do sleep 0.05; done; echo resi""zed\r');
    await ada.sees('resized');
    ada.pty.write('exit 9\r');
    await ada.sees('same modes, code 9');
    const opened = memory.service.received.find(({ name }) => name === 'openTerminal');
    assert.deepEqual(JSON.parse(String(opened?.body)), { thread: 'api/main', columns: 90, rows: 20 });
  });

  it('gives Ctrl-C to the box and stays', { timeout: 30_000 }, async () => {
    const ada = at('$SPOONCTL terminal');
    await ada.sees(prompt);
    // A shell that is just starting cat loses a Ctrl-C: what cat says back shows that it runs.
    ada.pty.write('cat\rto cat\r');
    await ada.sees(/to cat\r\n[\s\S]*to cat\r\n/);
    ada.pty.write('\u0003');
    // What follows ^C in one go is flushed by the tty along with it.
    await ada.sees(secondPrompt);
    ada.pty.write('echo sti""ll here; exit\r');
    await ada.sees('still here');
    await ada.sees(/same modes, code \d+/);
  });

  it('leaves with ~. and says how to come back', { timeout: 30_000 }, async () => {
    const ada = at('$SPOONCTL terminal');
    await ada.sees(prompt);
    ada.pty.write('\r~.');
    await ada.sees('spoonctl terminal --attach t1');
    await ada.sees('same modes, code 0');
    assert.equal(memory.service.count('closeTerminal'), 0);
  });

  it('puts the terminal right when it is terminated', { timeout: 30_000 }, async () => {
    const ada = at('$SPOONCTL terminal & wait $!; wait $!');
    // In the background of a shell without job control: the same process group, so it may read the terminal.
    await ada.sees('needs a terminal');
    await ada.sees('same modes, code 2');
    const bob = at(`sh -c 'echo pid $$; exec $SPOONCTL terminal'`);
    await bob.sees(/pid \d+/);
    await bob.sees(prompt);
    process.kill(Number(/pid (\d+)/.exec(bob.screen)?.[1]), 'SIGTERM');
    await bob.sees('same modes, code 143');
  });

  it('puts the terminal right when the box is refused', { timeout: 30_000 }, async () => {
    machine.env.SPOON_TOKEN = 'wrong';
    const ada = at('$SPOONCTL terminal');
    machine.env.SPOON_TOKEN = 'test-token';
    await ada.sees('spoonctl login');
    await ada.sees('same modes, code 3');
  });

  it('comes back after a lost connection, and says so once', { timeout: 30_000 }, async () => {
    const ada = at('$SPOONCTL terminal');
    await ada.sees(prompt);
    for (const socket of memory.service.sockets) socket.terminate();
    await ada.sees('The connection is lost');
    // The stand-in starts another shell; what counts is that keys and output go on in place.
    await ada.sees(/The connection is lost[\s\S]*Back\.[\s\S]*shell of/);
    ada.pty.write('exit 5\r');
    await ada.sees('same modes, code 5');
  });

  it('carries a flood and still listens', { timeout: 60_000 }, async () => {
    const ada = at('$SPOONCTL terminal');
    await ada.sees(prompt);
    ada.pty.write('yes spoon\r');
    await ada.sees(/(spoon\r\n){100}/);
    ada.screen = '';
    ada.pty.write('\u0003');
    await ada.sees(/[#$] /);
    ada.pty.write('echo qui""et; exit\r');
    await ada.sees('quiet');
    await ada.sees(/same modes/);
  });

  it('needs a terminal', async () => {
    const { code, stderr } = await machine.run(['terminal']);
    assert.equal(code, 2);
    assert.match(stderr, /spoonctl exec/);
  });

  it('lists what runs', async () => {
    const { stdout } = await machine.run(['terminal', '--list']);
    assert.match(stdout.toString(), /^ID +THREAD +TITLE +FOLDER +OPENED +VIEWERS +LAST LINE\nt1 /);
  });
});
