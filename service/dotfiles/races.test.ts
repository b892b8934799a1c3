import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { parseHomePath } from '../../protocol/homePath.ts';
import { openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { openStore } from '../store/database.ts';
import { Dotfiles } from './dotfiles.ts';
import { at, saveOf, TestUsers } from './testUsers.fixture.ts';

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'saved';
  } catch (error) {
    assert(error instanceof SpoonError, String(error));
    return error.code;
  }
}

describe('two windows, one file (R14)', () => {
  it('1,000 times two saves with the same If-Match: exactly one wins', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    let { etag } = (await users.dotfiles.save('ada', saveOf('a', 'start'))).dotfile;
    for (let round = 0; round < 1_000; round++) {
      const saves = ['left', 'right'].map((side) =>
        codeOf(users.dotfiles.save('ada', saveOf('a', `${side} ${round}`, { ifMatch: etag }))),
      );
      assert.deepEqual((await Promise.all(saves)).sort(), ['saved', 'version-stale']);
      ({ etag } = await users.dotfiles.read('ada', at('a')));
    }
    const { dotfiles } = await users.reopen().list('ada');
    assert.equal(dotfiles[0]?.version, 1_001);
  });

  it('many makers of one new file: exactly one wins, in one process and in two', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const here = users.dotfiles;
    const there = users.reopen();
    for (let round = 0; round < 50; round++) {
      const saves = [here, there, here, there].map((dotfiles, index) =>
        codeOf(dotfiles.save('ada', saveOf(`new-${round}`, String(index), { ifNoneMatch: '*' }))),
      );
      const outcomes = (await Promise.all(saves)).sort();
      assert.deepEqual(outcomes, ['file-exists', 'file-exists', 'file-exists', 'saved']);
    }
  });

  it('a move, a removal and a save of the same folder at once leave a tree that a restart agrees with', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    for (let round = 0; round < 50; round++) {
      await codeOf(users.dotfiles.save('ada', saveOf(`f/${round % 5}`, 'x', { ifNoneMatch: '*' })));
      await Promise.all([
        codeOf(users.dotfiles.move('ada', { from: at('f'), to: at(`g/${round % 3}`), overwrite: true })),
        codeOf(users.dotfiles.save('ada', saveOf(`f/new-${round}`, 'y', { ifNoneMatch: '*' }))),
        codeOf(users.dotfiles.remove('ada', at('g'), { recursive: true })),
        codeOf(users.dotfiles.save('ada', saveOf('g', 'a file', { ifNoneMatch: '*' }))),
      ]);
      const live = await users.dotfiles.list('ada');
      assert.deepEqual(await users.reopen().list('ada'), live);
    }
  });

  it('a writer whose tree is out of date reads it again and then decides', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const here = users.dotfiles;
    const { etag } = (await here.save('ada', saveOf('a', '1'))).dotfile;
    const there = users.reopen();
    const second = await there.save('ada', saveOf('a', '2', { ifMatch: etag }));
    assert.equal(await codeOf(here.save('ada', saveOf('a', '3', { ifMatch: etag }))), 'version-stale');
    assert.equal(await codeOf(here.save('ada', saveOf('a', '3', { ifMatch: second.dotfile.etag }))), 'saved');
    await there.remove('ada', at('a'));
    assert.equal(await codeOf(here.remove('ada', at('a'))), 'not-found');
  });
});

describe('SIGKILL in the middle of saves (R1)', () => {
  it('loses no acknowledged save and tears none', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'spoon-kill-'));
    const file = join(dir, 'spoon.db');
    const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');
    const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    // Saves in a loop and says so after each; its content names the round, so that a torn one would show.
    const script = `
      import { Dotfiles } from ${module('./dotfiles.ts')};
      import { openKeyring } from ${module('../keyring/keyring.ts')};
      import { readRootKey } from ${module('../keyring/rootKey.ts')};
      import { openStore } from ${module('../store/database.ts')};
      const store = await openStore(${JSON.stringify(file)});
      const keyring = await openKeyring(store, await readRootKey({ key: ${JSON.stringify(key)}, oldKeys: [] }));
      const known = await store.db.selectFrom('users').select('id').executeTakeFirst();
      if (known === undefined) await store.transaction(async (trx) => {
        await keyring.createDataKey('ada', trx);
        await trx.insertInto('users').values({ id: 'ada', username: 'ada', display_name_enc: new Uint8Array(), uid: 1,
          shell: '/bin/sh', created_ms: 1, disabled_ms: null }).execute();
      });
      const dotfiles = new Dotfiles({ store, keyring, now: Date.now, onDamage: () => process.exit(1) });
      const etags = new Map((await dotfiles.list('ada')).dotfiles.map(({ path, etag }) => [path, etag]));
      for (let round = Number(process.argv[1]); ; round++) {
        const path = 'file-' + round % 7;
        const bytes = Buffer.from(String(round).padStart(8).repeat(500));
        const { dotfile } = await dotfiles.save('ada', { path, kind: 'file', bytes, origin: 'api', ifMatch: etags.get(path) });
        etags.set(path, dotfile.etag);
        process.stdout.write(round + '\\n');
      }`;
    const acknowledged = new Map<string, number>();
    let round = 0;
    let count = 0;
    for (let life = 0; life < 6; life++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, String(round)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const wanted = 20 + life * 17;
      let seen = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        round = Number(line) + 1;
        acknowledged.set(`file-${Number(line) % 7}`, Number(line));
        count++;
        if (++seen === wanted) child.kill('SIGKILL');
      }
      if (child.signalCode === null) await once(child, 'exit');
      assert.equal(child.signalCode, 'SIGKILL');
    }
    const check = new DatabaseSync(file);
    assert.deepEqual({ ...check.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
    check.close();
    const store = await openStore(file);
    const keyring = await openKeyring(store, await readRootKey({ key, oldKeys: [] }));
    const dotfiles = new Dotfiles({
      store,
      keyring,
      now: Date.now,
      onDamage: (damage) => assert.fail(String(damage.error)),
    });
    for (const [path, last] of acknowledged) {
      const found = Buffer.from((await dotfiles.read('ada', parseHomePath(path))).bytes).toString();
      const numbers = new Set(found.match(/.{8}/g)?.map(Number));
      assert.equal(numbers.size, 1, 'torn');
      assert(Number([...numbers][0]) >= last, `${path} has ${[...numbers]}, acknowledged was ${last}`);
    }
    assert(count >= 300);
    keyring.close();
    await store.close();
    await rm(dir, { recursive: true });
  });
});
