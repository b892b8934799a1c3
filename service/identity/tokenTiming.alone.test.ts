import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatToken, parseToken, randomBase62 } from '../../protocol/tokenFormat.ts';
import { openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { openStore } from '../store/database.ts';
import { Tokens } from './tokens.ts';
import { Users } from './users.ts';

const tries = 10_000;
/** Of leakage tests (dudect): beyond it two series differ by more than chance. */
const differs = 4.5;

describe('how long a wrong token takes', { timeout: 120_000 }, () => {
  it('says nothing about how much of its secret was right (row 49)', async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'spoon-timing-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const store = await openStore(join(folder, 'spoon.db'));
    stack.defer(() => store.close());
    const keyring = await openKeyring(
      store,
      await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] }),
    );
    stack.defer(() => keyring.close());
    const ada = await new Users({ store, keyring, separatesUsers: true }).create({ displayName: 'Ada' });
    const tokens = new Tokens({
      store,
      keyring,
      onRevoked: () => undefined,
      onError: (error) => assert.fail(String(error)),
    });
    const { token } = await tokens.create({ ownerId: ada.id, kind: 'user', name: 'x' });
    const parsed = parseToken(token);
    assert.ok(parsed);
    const nearly = `${parsed.secret.slice(0, -1)}${parsed.secret.endsWith('a') ? 'b' : 'a'}`;
    const foreign = randomBase62(parsed.secret.length, randomBytes);
    const near = formatToken({ ...parsed, secret: nearly });
    const far = formatToken({ ...parsed, secret: foreign });
    const refused = (text: string) => assert.rejects(tokens.verify(text), { code: 'unauthenticated' });
    for (let warm = 0; warm < 1_000; warm++) await refused(far);
    assert.ok(Math.abs(await welchT(near, far, refused)) < differs);
    // What is found to be garbage by its checksum is sooner done: the measure can tell.
    const garbage = `${far.slice(0, -1)}${far.endsWith('0') ? '1' : '0'}`;
    assert.ok((await welchT(far, garbage, refused)) > differs);
  });
});

/** Of the times of two inputs, in an order that chance gives, without the slowest twentieth: those are of the machine. */
async function welchT(first: string, second: string, work: (text: string) => Promise<void>): Promise<number> {
  const times = { first: [] as number[], second: [] as number[] };
  for (const byte of randomBytes(tries)) {
    const isFirst = byte % 2 === 0;
    const startedMs = performance.now();
    await work(isFirst ? first : second);
    (isFirst ? times.first : times.second).push(performance.now() - startedMs);
  }
  const limit = [...times.first, ...times.second].sort((a, b) => a - b)[Math.floor(tries * 0.95)] ?? 0;
  const [a, b] = [momentsOf(times.first, limit), momentsOf(times.second, limit)];
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

function momentsOf(all: readonly number[], limit: number): { count: number; mean: number; variance: number } {
  const kept = all.filter((ms) => ms <= limit);
  const mean = kept.reduce((sum, ms) => sum + ms, 0) / kept.length;
  const variance = kept.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / (kept.length - 1);
  return { count: kept.length, mean, variance };
}
