import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TerminalStates } from '../../protocol/boxd.ts';
import type { JobEnd, JobOutput } from '../../protocol/boxdJobs.ts';
import { findDescendants } from '../processes/processTable.ts';
import { eventually } from '../testing/eventually.ts';
import { git } from '../testing/gitServer.ts';
import { TestBox } from '../testing/testBox.ts';
import { parseNumstat } from './checkoutChanges.ts';

const folder = 'Code/api/main';

describe('a job in a box', { timeout: 120_000 }, () => {
  let box: TestBox;
  let count = 0;
  before(async () => {
    box = await TestBox.start({
      prepare: (home) => {
        const checkout = join(home, folder);
        mkdirSync(checkout, { recursive: true });
        git(checkout, 'init', '--quiet', '--initial-branch=main', '.');
        writeFileSync(join(checkout, 'a.txt'), 'a\n');
        git(checkout, 'add', '.');
        git(checkout, 'commit', '--quiet', '--message', 'first');
        mkdirSync(join(home, 'plain'));
      },
    });
  });
  after(() => box.stop());

  async function start(prompt: string, more: Record<string, unknown> = {}): Promise<string> {
    const id = `j${++count}`;
    const reply = await box.request('POST', '/v1/jobs', {
      id,
      command: ['sh', '-c', '{prompt}'],
      prompt,
      spoon: 'api',
      branch: 'main',
      cwd: folder,
      timeLimitMs: 60_000,
      environment: {},
      secretFiles: {},
      ...more,
    });
    assert.equal(reply.status, 200, reply.body.toString());
    return id;
  }
  async function read(id: string, from: number): Promise<{ head: JobOutput; bytes: Buffer }> {
    const { body } = await box.request('GET', `/v1/jobs/${id}/output?from=${from}`);
    const headEnd = 4 + body.readUInt32BE(0);
    return { head: JSON.parse(body.toString('utf8', 4, headEnd)), bytes: body.subarray(headEnd + 4) };
  }
  async function toEnd(id: string): Promise<{ end: JobEnd; text: string; skipped: number }> {
    let text = '';
    let skipped = 0;
    for (let at = 0; ; ) {
      const { head, bytes } = await read(id, at);
      skipped += head.from - at;
      text += bytes.toString('latin1');
      at = head.from + bytes.length;
      if (head.end !== null && at === head.totalBytes) return { end: head.end, text, skipped };
    }
  }

  it('writes to a terminal, reads from nothing, and knows who it is', async () => {
    const id = await start('tty <&1 >/dev/null && echo terminal; cat; echo $SPOON_JOB_ID $TERM $GIT_PAGER');
    const { end, text } = await toEnd(id);
    assert.equal(text, `terminal\r\n${id} xterm-256color cat\r\n`);
    assert.deepEqual([end.exitCode, end.signal, end.why], [0, null, 'by-itself']);
    assert.equal((await box.request('DELETE', `/v1/jobs/${id}`)).status, 204);
    assert.equal((await box.request('GET', `/v1/jobs/${id}/output`)).status, 404);
  });

  it('is not there for a program that is not', async () => {
    const { end, text } = await toEnd(await start('x', { command: ['no-such-agent', '{prompt}'] }));
    assert.equal(end.exitCode, 127);
    assert.match(text, /no-such-agent/);
  });

  it('holds the box while it runs, and runs on while the service is away', async () => {
    const id = await start('echo one; while [ ! -e ~/go ]; do sleep 0.02; done; yes | head -c 9000000; echo last');
    const states = (await box.request('GET', '/v1/terminals')).json<TerminalStates>();
    assert.deepEqual(states.jobs, [{ id, thread: 'api/main' }]);
    assert.equal((await read(id, 0)).bytes.toString(), 'one\r\n');
    await box.killService();
    writeFileSync(join(box.home, 'go'), '');
    await eventually('it has ended by itself', () => findDescendants(-2, `SPOON_JOB_ID=${id}`).length === 0);
    await box.startService();
    const { end, text, skipped } = await toEnd(id);
    assert.equal(end.exitCode, 0);
    // 3 bytes a line on a terminal; the last 4 MiB are still there.
    assert.equal(text.length + skipped, 5 + 13_500_000 + 6);
    assert.equal(text.length, 4 * 1024 * 1024);
    assert.match(text, /y\r\nlast\r\n$/);
  });

  it('waits for a service that is there and slow, and loses nothing', async () => {
    const id = await start('yes | head -c 6000000; echo last');
    let at = 0;
    for (let slow = 0; slow < 5; slow++) {
      const { head, bytes } = await read(id, at);
      assert.equal(head.from, at);
      at += bytes.length;
      assert.ok(head.totalBytes - at < 2 * 1024 * 1024, `${head.totalBytes - at} unread`);
    }
    const { skipped, text } = await toEnd(id);
    assert.ok(text.length + skipped === 9_000_006, String(text.length + skipped));
  });

  it('is ended with all it started, by a SIGTERM that it may hear', async () => {
    const id = await start('trap "echo heard; exit 7" TERM; setsid sleep 4720 & echo up; while :; do sleep 0.05; done');
    let text = '';
    while (!text.includes('up')) text = (await read(id, 0)).bytes.toString();
    assert.equal((await box.request('DELETE', `/v1/jobs/${id}`)).status, 409);
    assert.equal((await box.request('POST', `/v1/jobs/${id}/cancel`)).status, 204);
    const { end, text: all } = await toEnd(id);
    assert.deepEqual([end.exitCode, end.why], [7, 'cancelled']);
    assert.match(all, /heard/);
    assert.deepEqual(findDescendants(-2, `SPOON_JOB_ID=${id}`), []);
  });

  it('says what changed where git can, and that it cannot elsewhere', async () => {
    const inCheckout = await toEnd(
      await start('mv a.txt b.txt; printf "a\\0b" > c.bin; mkdir -p sub; echo x > "sub/ü\tx"'),
    );
    const { changes } = inCheckout.end;
    assert.deepEqual(
      changes?.files.map(({ path, insertions }) => [path, insertions]),
      [
        ['b.txt', 0],
        ['c.bin', null],
        ['sub/ü\tx', 1],
      ],
    );
    const reply = await start('true', { cwd: 'plain' });
    const { end } = await toEnd(reply);
    assert.deepEqual([end.changes, end.notes], [null, []]);
    const gone = await toEnd(await start('rm -rf ../main'));
    assert.deepEqual([gone.end.changes, gone.end.notes], [null, ['The folder of the thread is gone.']]);
  });

  it('is refused where it makes no sense', async () => {
    const ask = async (body: unknown) => (await box.request('POST', '/v1/jobs', body)).status;
    assert.equal(await ask({}), 422);
    assert.equal(await ask({ id: '../x', command: ['sh'] }), 422);
    const id = await start('true');
    await toEnd(id);
    const again = {
      id,
      command: ['sh'],
      prompt: 'x',
      spoon: 'a',
      branch: 'b',
      cwd: '',
      timeLimitMs: 1,
      environment: {},
    };
    assert.equal(await ask(again), 422);
  });
});

describe('parseNumstat', () => {
  it('reads changed, binary, renamed and oddly named files', () => {
    const text = '1\t2\ta\0-\t-\tb.png\x000\t0\t\0old\0new\x003\t0\tname\nwith\tall\0';
    assert.deepEqual(parseNumstat(text), [
      { path: 'a', insertions: 1, deletions: 2 },
      { path: 'b.png', insertions: null, deletions: null },
      { path: 'new', insertions: 0, deletions: 0 },
      { path: 'name\nwith\tall', insertions: 3, deletions: 0 },
    ]);
    assert.deepEqual(parseNumstat(''), []);
  });
});
