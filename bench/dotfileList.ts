import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseHomePath } from '../protocol/homePath.ts';
import { Dotfiles } from '../service/dotfiles/dotfiles.ts';
import { Users } from '../service/identity/users.ts';
import { openKeyring } from '../service/keyring/keyring.ts';
import { readRootKey } from '../service/keyring/rootKey.ts';
import { openStore } from '../service/store/database.ts';
import { compare, type Row } from './ratio.ts';

const count = 10_000;
const perBatch = 500;
const pairs = 15;

/**
 * All names of a full account, opened and sorted with nothing in memory, ms; against reading the same rows and no more. Each begins with a
 * collected heap: what one leaves behind costs as much as the work itself, and would be cleared away in the other's time.
 */
export async function coldList(): Promise<Row> {
  const directory = await mkdtemp(join(tmpdir(), 'spoon-bench-'));
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const store = await openStore(join(directory, 'spoon.db'));
  const keyring = await openKeyring(store, await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] }));
  const parts = { store, keyring, now: Date.now, onDamage: () => assert.fail('damaged') };
  try {
    const user = await new Users({ store, keyring, separatesUsers: true }).create({ displayName: 'Ada' });
    const filling = new Dotfiles(parts);
    for (let start = 0; start < count; start += perBatch) {
      const inputs = Array.from({ length: perBatch }, (_, index) => ({
        path: parseHomePath(`.config/folder-${(start + index) % 100}/file-${start + index}.conf`),
        kind: 'file' as const,
        bytes: Buffer.from(`content ${start + index}\n`.repeat(50)),
        ifNoneMatch: '*',
        origin: 'import' as const,
      }));
      assert.ok((await filling.saveMany(user.id, inputs)).every((one) => 'dotfile' in one));
    }
    filling.close();
    return await compare({
      name: 'list of 10,000 dotfiles, cold',
      reference: 'SELECT of the same rows, nothing opened',
      goal: 6,
      better: 'lower',
      unit: 'ms',
      pairs,
      measureSpoon: async () => {
        const dotfiles = new Dotfiles(parts);
        collectGarbage();
        const start = performance.now();
        const { dotfiles: listed } = await dotfiles.list(user.id);
        const took = performance.now() - start;
        assert.equal(listed.length, count);
        dotfiles.close();
        return took;
      },
      measureReference: async () => {
        collectGarbage();
        const start = performance.now();
        const rows = await store.db.selectFrom('dotfiles').selectAll().where('user_id', '=', user.id).execute();
        const took = performance.now() - start;
        assert.equal(rows.length, count);
        return took;
      },
    });
  } finally {
    keyring.close();
    await store.close();
    await rm(directory, { recursive: true });
  }
}
