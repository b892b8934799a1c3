import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { WatchedTerminal } from '../fixtures/watchedTerminal.fixture.ts';
import { RunningService, type TestUser, testEngines } from '../runningService.ts';

/** The long form is for a machine that has the time: `SPOON_TEST_LONG=1`, 100 attachments and 1,000 cuts. */
const isLong = process.env.SPOON_TEST_LONG === '1';
const terminalCount = isLong ? 10 : 4;
const kills = isLong ? 10 : 3;
const cuts = isLong ? 1_000 : 60;

const counter = `i=0; while :; do echo "n=$i;"; i=$((i+1)); sleep 0.02; done\r`;

/** What terminals started carries their mark, wherever it went. */
async function processesLeft(service: RunningService, user: TestUser): Promise<string> {
  const script = 'grep -lzs ^SPOON_TERMINAL_ID= /proc/[0-9]*/environ; true';
  return await service.inBox(user, 'bash', '-c', script);
}

/** Somebody whose prompt is known. */
async function personOf(service: RunningService): Promise<TestUser> {
  const user = await service.addUser('Ada');
  await service.put(user, '.bashrc', "PS1='$ '\nbind 'set enable-bracketed-paste off'\n");
  return user;
}

/** The counter's numbers: whole, in order, none twice. */
function assertWithoutGap(output: string): number {
  const numbers = [...output.matchAll(/n=(\d+);/g)].map((match) => Number(match[1]));
  const [first = 0] = numbers;
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, index) => first + index),
  );
  return numbers.length;
}

for (const engine of testEngines) {
  describe(`terminals (${engine})`, () => {
    it('are re-attached after each SIGKILL of the service, and what runs in them never stops', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await personOf(service);
      const open = Array.from({ length: terminalCount }, () => WatchedTerminal.open(service, ada));
      const terminals = await Promise.all(open);
      for (const terminal of terminals) {
        await terminal.untilText(/\$ /);
        terminal.type(counter);
        await terminal.untilText(/n=3;/);
      }
      for (let killed = 1; killed <= kills; killed++) {
        await service.kill('SIGKILL');
        await service.launch();
        for (const terminal of terminals) {
          await terminal.until(() => terminal.attachments === killed + 1, 'the attachment');
          const { length } = terminal.output;
          await terminal.until(() => terminal.output.length > length, 'more output');
        }
      }
      assert.notEqual(await processesLeft(service, ada), '');
      for (const terminal of terminals) {
        assert.ok(assertWithoutGap(terminal.output) > kills);
        terminal.type('\x03');
        await terminal.session.end();
        await terminal.until(() => terminal.states.at(-1)?.name === 'ended', 'the end');
      }
      assert.equal(await processesLeft(service, ada), '');
    });

    it('outlive every cut of the connection, and leave nothing behind when they are ended', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await personOf(service);
      const terminal = await WatchedTerminal.open(service, ada);
      await terminal.untilText(/\$ /);
      terminal.type(`(trap '' HUP; sleep 1000) & disown; ${counter}`);
      await terminal.untilText(/n=3;/);
      for (let cut = 1; cut <= cuts; cut++) {
        terminal.cut();
        await terminal.until(() => terminal.states.at(-1)?.name === 'reconnecting', `the end of connection ${cut}`);
        terminal.session.retry();
        await terminal.until(() => terminal.attachments === cut + 1, `attachment ${cut}`);
      }
      assertWithoutGap(terminal.output);
      await terminal.session.end();
      assert.equal(await processesLeft(service, ada), '');
    });

    it('are left with a word when the service stops in order, and found again', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await personOf(service);
      const terminal = await WatchedTerminal.open(service, ada);
      await terminal.untilText(/\$ /);
      terminal.type(counter);
      await terminal.untilText(/n=3;/);
      assert.equal(await service.kill('SIGTERM'), 0);
      await terminal.until(() => terminal.closeCodes.length > 0, 'the close');
      assert.equal(terminal.closeCodes[0], 1012);
      await service.launch();
      await terminal.until(() => terminal.attachments === 2, 'the attachment');
      await terminal.until(() => /n=20;/.test(terminal.output));
      assertWithoutGap(terminal.output);
      terminal.session.detach();
    });

    it('take a paste of 10 MiB whole', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await personOf(service);
      const terminal = await WatchedTerminal.open(service, ada);
      const paste = Buffer.from('0123456789abcdef'.repeat((10 * 1024 * 1024) / 16));
      await terminal.untilText(/\$ /);
      terminal.type(`stty raw -echo; echo re""ady; head -c ${paste.length} > pasted; stty sane; sha256sum pasted\r`);
      await terminal.untilText(/ready/);
      terminal.session.write(paste);
      await terminal.untilText(/[0-9a-f]{64} {2}pasted/);
      assert.ok(terminal.output.includes(createHash('sha256').update(paste).digest('hex')));
      terminal.session.detach();
    });

    it('end in plain words when their box is removed from outside, and a new box has the same home', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await personOf(service);
      const terminal = await WatchedTerminal.open(service, ada);
      await terminal.untilText(/\$ /);
      terminal.type('echo kept > file; echo do""ne; exec kill -9 $PPID\r');
      await terminal.until(() => terminal.states.at(-1)?.name === 'ended', 'the end');
      const last = terminal.states.at(-1);
      assert.equal(last?.name === 'ended' && last.error?.code, 'box-stopped');
      assert.equal(terminal.closeCodes[0], 4010);
      assert.equal(await service.inBox(ada, 'cat', 'file'), 'kept');
    });

    it('share one box when fifty are opened at once on a stopped one', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await personOf(service);
      const open = () =>
        service.fetch(ada, '/v1/terminals', {
          method: 'POST',
          body: '{}',
          headers: { 'content-type': 'application/json' },
        });
      const answers = await Promise.all(Array.from({ length: 50 }, open));
      const statuses = answers.map(({ status }) => status);
      assert.equal(statuses.filter((status) => status === 200).length, 16, statuses.join(' '));
      assert.ok(
        statuses.every((status) => status === 200 || status === 429),
        statuses.join(' '),
      );
      const { boxes } = await service.admin<{ boxes: { state: string }[] }>('GET', '/v1/admin/boxes');
      assert.deepEqual(
        boxes.map(({ state }) => state),
        ['running'],
      );
    });
  });
}
