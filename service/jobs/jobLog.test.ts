import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jobLogHeadBytes, jobLogTailBytes } from '../../protocol/limits.ts';
import { JobLog } from './jobLog.ts';
import { inOnePiece, type Part, wholeLog } from './keptLog.ts';

const job = { userId: 'ada', id: 'j', outputBytes: 0 };

/** The store, as far as a log knows it. */
class Store {
  readonly parts = new Map<number, Buffer>();
  totalBytes = 0;
  failing = false;

  async writeLog(
    _job: unknown,
    { part, totalBytes, drop }: { part: Part; totalBytes: number; drop?: { from: number; to: number } | undefined },
  ): Promise<void> {
    if (this.failing) throw new Error('disk full');
    this.parts.set(part.start, Buffer.from(part.bytes));
    this.totalBytes = totalBytes;
    if (drop === undefined) return;
    for (const [start, bytes] of this.parts) {
      if (start >= drop.from && start + bytes.length <= drop.to) this.parts.delete(start);
    }
  }

  async logPart(_job: unknown, from: number): Promise<Part | undefined> {
    const found = [...this.parts].sort(([a], [b]) => a - b).find(([start, bytes]) => start + bytes.length > from);
    return found && { start: found[0], bytes: found[1] };
  }

  get keptBytes(): number {
    return [...this.parts.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  }
}

function make(store: Store, outputBytes = 0): { log: JobLog; errors: unknown[] } {
  const errors: unknown[] = [];
  return { log: new JobLog(store, { ...job, outputBytes }, (error) => errors.push(error)), errors };
}

/** Bytes that tell where they are. */
function numbered(start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = ((start + at) * 31) & 0xff;
  return bytes;
}

async function fill(log: JobLog, from: number, to: number, step: number): Promise<void> {
  for (let at = from; at < to; at += step) {
    const bytes = numbered(at, Math.min(step, to - at));
    await log.append({ start: at, bytes });
  }
}

describe('the log of a job', () => {
  it('is read as it was written, from memory and from the store, at any offset', async () => {
    const { log } = make(new Store());
    await fill(log, 0, 1_000_000, 33_333);
    for (const from of [0, 1, 262_143, 262_144, 500_000, 999_999]) {
      const part = await log.read(from);
      assert.ok(part !== undefined && part.start <= from && from < part.start + part.bytes.length, String(from));
      assert.deepEqual(part.bytes, numbered(part.start, part.bytes.length));
    }
    assert.equal(await log.read(1_000_000), undefined);
    assert.deepEqual(await inOnePiece(wholeLog(log, log.end)), numbered(0, 1_000_000));
  });

  it('keeps its beginning and its end, and says what is between', async () => {
    const store = new Store();
    const { log } = make(store);
    const total = 12 * 1024 * 1024;
    await fill(log, 0, total, 100_000);
    await log.flush();
    assert.equal(store.totalBytes, total);
    assert.ok(store.keptBytes <= jobLogHeadBytes + jobLogTailBytes + 1024 * 1024, String(store.keptBytes));
    const kept = await inOnePiece(wholeLog(log, log.end));
    assert.deepEqual(kept.subarray(0, jobLogHeadBytes), numbered(0, jobLogHeadBytes));
    const gap = /… (\d+) bytes omitted …/.exec(kept.toString('utf8'));
    const omitted = Number(gap?.[1]);
    assert.equal(kept.length - Buffer.byteLength(`\r\n${gap?.[0]}\r\n`) + omitted, total);
    assert.deepEqual(kept.subarray(-jobLogTailBytes), numbered(total - jobLogTailBytes, jobLogTailBytes));
  });

  it('goes on where an earlier service left it, over what is lost', async () => {
    const store = new Store();
    const first = make(store).log;
    await fill(first, 0, 1000, 100);
    await first.flush();
    const { log } = make(store, store.totalBytes);
    assert.equal(log.end, 1000);
    await log.append({ start: 1500, bytes: numbered(1500, 10) });
    await log.flush();
    const text = (await inOnePiece(wholeLog(log, log.end))).toString('latin1');
    assert.ok(Buffer.from(text, 'latin1').includes(Buffer.from('… 500 bytes omitted …')));
    assert.deepEqual((await log.read(1200))?.start, 1500);
  });

  it('wakes who waits, also without bytes', async () => {
    const { log } = make(new Store());
    const appended = log.changed;
    await log.append({ start: 0, bytes: numbered(0, 1) });
    await appended;
    const woken = log.changed;
    log.wake();
    await woken;
  });

  it('is still shown when it cannot be stored, and that is told', async () => {
    const store = new Store();
    const { log, errors } = make(store);
    store.failing = true;
    await log.append({ start: 0, bytes: numbered(0, 100) });
    await log.flush();
    assert.equal(errors.length, 1);
    assert.deepEqual((await log.read(0))?.bytes, numbered(0, 100));
    store.failing = false;
    await log.flush();
    assert.equal(store.totalBytes, 100);
  });
});
