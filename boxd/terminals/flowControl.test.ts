import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TerminalStates } from '../../protocol/boxd.ts';
import { replayRingBytes } from '../../protocol/limits.ts';
import { eventually } from '../testing/eventually.ts';
import { childrenOf, openDescriptors, residentBytes } from '../testing/processFacts.ts';
import { TestBox } from '../testing/testBox.ts';
import { TestViewer } from '../testing/testViewer.ts';

const mebi = 1024 * 1024;
/** 1,000 in a campaign; fewer take long enough on a shared machine and find the same leak. */
const manyTerminals = Number(process.env.SPOON_TEST_TERMINALS ?? 200);

describe('flow control of a terminal', () => {
  let box: TestBox;
  before(async () => {
    box = await TestBox.start({
      prepare: (home) => writeFileSync(join(home, '.bashrc'), 'PS1="$ "\nbind "set enable-bracketed-paste off"\n'),
    });
  });
  after(() => box.stop());
  const boxdPid = () => box.process.pid ?? 0;

  /** Waits until the shell's terminal has stopped moving: nothing arrives any more. */
  async function settled(viewer: TestViewer): Promise<void> {
    for (let seen = -1; seen !== viewer.receivedBytes; await delay(150)) seen = viewer.receivedBytes;
  }

  it('stops the flood of a viewer that acknowledges nothing, at its credit and with flat memory', async () => {
    await box.openTerminal({ id: 'frozen' });
    const viewer = await TestViewer.attach(box, 'frozen', { acknowledge: false, credit: mebi });
    viewer.keepBytes = 4096;
    await viewer.untilText(/\$ $/);
    viewer.type('yes\r');
    await viewer.until(() => viewer.receivedBytes > mebi / 2);
    await settled(viewer);
    assert.ok(viewer.receivedBytes <= mebi, `${viewer.receivedBytes}`);
    const before = residentBytes(boxdPid());
    await delay(1_000);
    assert.ok(residentBytes(boxdPid()) - before < 2 * mebi);
    // Acknowledged numbers are not believed beyond what was sent.
    viewer.say({ type: 'ack', offset: 1e15 });
    await viewer.until(() => viewer.receivedBytes > mebi);
    await settled(viewer);
    assert.ok(viewer.receivedBytes <= 2 * mebi, `${viewer.receivedBytes}`);
    await box.request('DELETE', '/v1/terminals/frozen');
  });

  it('keeps little for a viewer that does not read its socket', async () => {
    await box.openTerminal({ id: 'deaf' });
    const viewer = await TestViewer.attach(box, 'deaf', { credit: 16 * mebi, acknowledge: false });
    await viewer.untilText(/\$ $/);
    const before = residentBytes(boxdPid());
    viewer.webSocket.pause();
    viewer.type('yes\r');
    await delay(1_500);
    assert.ok(residentBytes(boxdPid()) - before < 12 * mebi, `${residentBytes(boxdPid()) - before}`);
    viewer.webSocket.terminate();
    await box.request('DELETE', '/v1/terminals/deaf');
  });

  it('hands over every byte of a flood to a viewer that keeps up', async () => {
    await box.openTerminal({ id: 'whole' });
    const viewer = await TestViewer.attach(box, 'whole');
    await viewer.untilText(/\$ $/);
    viewer.type('stty -echo; PS1=; echo re""ady\r');
    await viewer.untilText(/ready\r\n$/);
    viewer.output = Buffer.alloc(0);
    viewer.type('seq 1 200000; echo do""ne\r');
    await viewer.untilText(/done\r\n$/);
    const expected = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\r\n`).join('');
    assert.ok(viewer.text.endsWith(`${expected}done\r\n`));
    await box.request('DELETE', '/v1/terminals/whole');
  });

  it('does not let a frozen viewer hold the shell from another one, and tells it what it missed', async () => {
    await box.openTerminal({ id: 'two' });
    const frozen = await TestViewer.attach(box, 'two', { acknowledge: false, credit: 64 * 1024 });
    const reader = await TestViewer.attach(box, 'two');
    frozen.keepBytes = 64;
    reader.keepBytes = 64;
    await reader.untilText(/\$ $/);
    reader.type('yes | head -c 3000000; echo do""ne\r');
    await reader.untilText(/done\r\n\$ $/);
    assert.ok(frozen.receivedBytes <= 64 * 1024);
    frozen.say({ type: 'ack', offset: frozen.offset });
    await frozen.until(() => frozen.messages.length > 1);
    const again = frozen.messages[1];
    assert.ok(again?.type === 'attached' && again.missed > 0 && again.offset > reader.offset - replayRingBytes - 100);
    frozen.acknowledge = true;
    frozen.say({ type: 'ack', offset: frozen.offset });
    await frozen.untilText(/done\r\n\$ $/);
    assert.equal(frozen.offset, reader.offset);
    await box.request('DELETE', '/v1/terminals/two');
  });

  it('lets a shell run on that nobody watches', async () => {
    await box.openTerminal({ id: 'alone' });
    const first = await TestViewer.attach(box, 'alone');
    await first.untilText(/\$ $/);
    first.type('yes | head -c 2000000; echo do""ne; touch finished\r');
    first.webSocket.terminate();
    const later = await TestViewer.attach(box, 'alone', { credit: 4 * mebi });
    await later.untilText(/done\r\n\$ $/);
    await box.request('DELETE', '/v1/terminals/alone');
  });

  it('gives a slow viewer the rest and the exit code after the shell has gone', async () => {
    await box.openTerminal({ id: 'gone' });
    const viewer = await TestViewer.attach(box, 'gone', { acknowledge: false, credit: 64 * 1024 });
    await viewer.untilText(/\$ $/);
    viewer.type('stty -echo; seq 1 30000; exit 6\r');
    await eventually('it has ended', async () => {
      const { terminals } = (await box.request('GET', '/v1/terminals')).json<TerminalStates>();
      viewer.say({ type: 'ack', offset: viewer.offset });
      return terminals.length === 0;
    });
    viewer.acknowledge = true;
    viewer.say({ type: 'ack', offset: viewer.offset });
    assert.equal((await viewer.closed).code, 1000);
    const numbers = Array.from({ length: 30_000 }, (_, index) => `${index + 1}\r\n`).join('');
    assert.ok(viewer.text.includes(numbers));
    const exit = viewer.messages.at(-1);
    assert.ok(exit?.type === 'exit' && exit.code === 6);
  });

  it('waits with input for a program that does not read, without keeping the processor busy', async () => {
    await box.openTerminal({ id: 'busy' });
    const viewer = await TestViewer.attach(box, 'busy');
    await viewer.untilText(/\$ $/);
    viewer.type(
      'stty raw -echo; echo re""ady; read -t 1.5 -n 0 x < /dev/null; sleep 1.5; head -c 200000 | wc -c; stty sane\r',
    );
    await viewer.untilText(/ready/);
    const ticks = () => {
      const [, , , , , , , , , , , user, system] = readStatFields(boxdPid());
      return Number(user) + Number(system);
    };
    for (let at = 0; at < 4; at++) viewer.webSocket.send(Buffer.alloc(50_000, 'x'));
    await delay(200);
    const before = ticks();
    await delay(1_000);
    // A hundred ticks are one second of one processor; spinning would take nearly all of them.
    assert.ok(ticks() - before < 25, `${ticks() - before} ticks`);
    await viewer.untilText(/200000/);
    await box.request('DELETE', '/v1/terminals/busy');
  });

  it('leaves no process and no descriptor after many terminals', async () => {
    await box.request('GET', '/v1/stat');
    const before = openDescriptors(boxdPid());
    let next = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let number = next++; number < manyTerminals; number = next++) {
          const id = `many${number}`;
          assert.equal((await box.openTerminal({ id, safe: true })).status, 200);
          const viewer = await TestViewer.attach(box, id);
          viewer.type('exit\r');
          await viewer.closed;
        }
      }),
    );
    const { terminals } = (await box.request('GET', '/v1/terminals')).json<TerminalStates>();
    assert.deepEqual(terminals, []);
    await eventually('no child is left', () => childrenOf(boxdPid()).length === 0);
    await eventually('no descriptor is left', () => openDescriptors(boxdPid()) <= before + 2);
  });
});

function readStatFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
