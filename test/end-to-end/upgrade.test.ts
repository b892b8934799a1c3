import assert from 'node:assert/strict';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { oldestBoxdProtocol } from '../../protocol/version.ts';
import { Boxes, type BoxUser, type RunningBox } from '../../service/boxes/boxes.ts';
import { noPins } from '../../service/boxes/localEngine.fixture.ts';
import { ProcessEngine } from '../../service/boxes/processEngine.ts';
import { buildBoxdOnce } from '../fixtures/serviceProcess.fixture.ts';

const textFrame = 1;
const binaryFrame = 2;
const source = fileURLToPath(new URL('../../dist/boxd', import.meta.url));
const isRoot = process.getuid?.() === 0;
const own = process.getuid?.() ?? 0;
const ada: BoxUser = { userId: 'u-ada', username: 'ada', uid: isRoot ? 100_001 : own, shell: '/bin/bash' };

/** A newer service over a box that an older one has made: a real boxd that speaks the protocol before this one. */
describe('an upgrade of the service with vim open', { timeout: 120_000 }, () => {
  let folder: string;
  let engine: ProcessEngine;
  const made: Boxes[] = [];
  before(async () => {
    await buildBoxdOnce();
    folder = await mkdtemp(join(tmpdir(), 'spoon-upgrade-'));
    await chmod(folder, 0o711);
    await mkdir(join(folder, 'run'), { mode: 0o700 });
    await mkdir(join(folder, 'homes'), { mode: 0o711 });
    await cp(source, join(folder, 'new'), { recursive: true });
    await cp(source, join(folder, 'old'), { recursive: true });
    const bundle = join(folder, 'old', 'boxd.js');
    const text = await readFile(bundle, 'utf8');
    // What boxd of protocol 1 says of itself, and without the routes that it had not.
    const old = text
      .replace(/protocol:\d+,build/, `protocol:${oldestBoxdProtocol},build`)
      .replaceAll('/v1/git', '/none')
      .replaceAll('/v1/home', '/none');
    assert.notEqual(old, text);
    await writeFile(bundle, old);
    engine = await ProcessEngine.open({ stateDir: join(folder, 'run'), instanceId: 'upgrade', hidden: [] });
  });
  after(async () => {
    for (const each of made) await each.close();
    await engine.stop(ada.username, 0);
    await engine.close();
    await rm(folder, { recursive: true });
  });

  function serviceWith(bundle: 'old' | 'new'): Boxes {
    const boxes = new Boxes({
      engine,
      places: {
        homesDir: join(folder, 'homes'),
        runDir: join(folder, 'run'),
        etcDir: join(folder, 'etc'),
        boxdDir: join(folder, bundle),
      },
      settings: {
        image: 'none',
        memoryBytes: 2 ** 31,
        cpus: 1,
        maxProcesses: 256,
        idleMs: 60_000,
        detachedMs: 60_000,
        separatesUsers: isRoot,
      },
      pins: noPins,
      onStarted: async () => [],
      report: (problem) => assert.fail(String(problem)),
    });
    made.push(boxes);
    return boxes;
  }

  it('leaves vim alone, says what is older, and takes the new boxd once vim is gone', async () => {
    const before = serviceWith('old');
    const box = await before.ensure(ada);
    const id = 'vimvimvimvimvimvimvim1';
    const size = { columns: 80, rows: 24 };
    await box.boxd.startTerminal({ id, shell: ada.shell, cwd: '', ...size, safe: true, environment: {} });
    const first = await view(box, id);
    first.type('vi notes\r');
    await until(() => first.shown().includes('[New'));
    first.type('iwritten before the upgrade');
    await until(() => first.shown().includes('written before the upgrade'));
    first.close();
    await before.close();

    const service = serviceWith('new');
    await service.adopt([ada]);
    const described = await service.describe(ada);
    assert.deepEqual([described.state, described.outdated], ['running', ['settings']]);
    assert.deepEqual(
      described.holders.map(({ kind }) => kind),
      ['terminal'],
    );
    const same = await service.ensure(ada);
    assert.equal(same.startedMs, box.startedMs);
    assert.equal((await same.boxd.stat()).protocol, oldestBoxdProtocol);
    await assert.rejects(same.boxd.home.usage(), { code: 'box-outdated' });

    const again = await view(same, id);
    await until(() => again.shown().includes('written before the upgrade'));
    again.type('\u001b:q!\r');
    await until(async () => (await same.boxd.terminals()).terminals[0]?.busy === false);
    again.type('exit\r');
    await until(async () => (await same.boxd.terminals()).terminals.length === 0);
    again.close();
    const fresh = await service.ensure(ada);
    assert.notEqual(fresh.startedMs, box.startedMs);
    assert.ok((await fresh.boxd.stat()).protocol > oldestBoxdProtocol);
    assert.equal((await service.describe(ada)).outdated, undefined);
  });
});

/** A viewer on the raw connection that the service would join to a client's: RFC 6455 frames, masked with zeros. */
async function view(box: RunningBox, id: string) {
  const connection = await box.boxd.attachTerminal(id);
  let received = Buffer.alloc(0);
  let output = '';
  connection.on('error', () => undefined);
  connection.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const [first = 0, second = 0] = received;
      const isLong = second === 126;
      const start = isLong ? 4 : 2;
      if (received.length < start) return;
      const length = isLong ? received.readUInt16BE(2) : second;
      if (received.length < start + length) return;
      if ((first & 0x0f) === binaryFrame) output += received.toString('utf8', start, start + length);
      received = received.subarray(start + length);
    }
  });
  const send = (opcode: number, payload: string) => {
    const bytes = Buffer.from(payload);
    assert.ok(bytes.length < 126);
    connection.write(Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | bytes.length, 0, 0, 0, 0), bytes]));
  };
  send(textFrame, JSON.stringify({ type: 'attach', columns: 80, rows: 24, credit: 1_000_000 }));
  return {
    type: (text: string) => send(binaryFrame, text),
    shown: () => output,
    close: () => connection.destroy(),
  };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 15_000;
  while (!(await holds())) {
    assert.ok(Date.now() < endMs, 'did not happen');
    await delay(20);
  }
}
