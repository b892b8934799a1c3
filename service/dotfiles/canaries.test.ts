import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Dotfiles } from './dotfiles.ts';
import { at, saveOf, TestUsers } from './testUsers.fixture.ts';

/** Every form in which a text could lie in a file unsealed. */
function formsOf(canary: string): Buffer[] {
  const bytes = Buffer.from(canary);
  const texts = [
    canary,
    bytes.toString('hex'),
    bytes.toString('base64').replace(/.{2}=*$/, ''),
    encodeURIComponent(canary),
  ];
  return [...texts.map((text) => Buffer.from(text)), Buffer.from(canary, 'utf16le'), Buffer.from(canary.toUpperCase())];
}

/** Which canaries lie in the database, its log or its index. */
async function foundIn({ file }: TestUsers, canaries: readonly string[]): Promise<string[]> {
  const dir = join(file, '..');
  const files = await Promise.all((await readdir(dir)).map((name) => readFile(join(dir, name))));
  assert(files.length >= 3, 'the log and its index are there to be searched');
  return canaries.filter((canary) => formsOf(canary).some((form) => files.some((bytes) => bytes.includes(form))));
}

const canaryOf = (what: string, number: number) => `canary-${what}-${(number * 2_654_435_761) % 1_000_000_007}`;

describe('a stolen database', () => {
  it('has no content, no path and no name in any of its bytes, after all that can be done', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const canaries: string[] = [];
    const plant = (what: string, number: number) => {
      const canary = canaryOf(what, number);
      canaries.push(canary);
      return canary;
    };
    const { dotfiles, store, keyring } = users;
    for (let number = 0; number < 25; number++) {
      const folder = plant('folder', number);
      const path = `${folder}/${plant('name', number)}`;
      const first = await dotfiles.save('ada', saveOf(path, `${plant('first', number)} `.repeat(50)));
      await dotfiles.keepDrift('ada', { path: at(path), bytes: Buffer.from(plant('drift', number)), mode: 0o600 });
      const ifMatch = first.dotfile.etag;
      await dotfiles.save('ada', saveOf(path, plant('second', number), { ifMatch, mode: 0o600, origin: 'editor' }));
      await dotfiles.save('ada', saveOf(`${folder}/link`, plant('target', number), { kind: 'symlink' }));
      await dotfiles.save('ada', saveOf(plant('empty', number), '', { kind: 'directory' }));
      const to = plant('moved', number);
      await dotfiles.move('ada', { from: at(folder), to: at(to), overwrite: false });
      if (number % 3 === 0) await dotfiles.remove('ada', at(to), { recursive: true });
      await assert.rejects(
        dotfiles.save('ada', saveOf(`${plant('refused', number)}/${'x'.repeat(9)}`, '', { mode: -1 })),
      );
    }
    const displayName = Buffer.from(plant('display', 1));
    const display_name_enc = await keyring.seal(
      { ownerId: 'ada', kind: 'name', objectId: 'ada', version: 0, mode: 0 },
      displayName,
    );
    await store.db.updateTable('users').set({ display_name_enc }).execute();
    await dotfiles.overlay('ada');

    assert.deepEqual(await foundIn(users, canaries), []);
    await store.checkpoint();
    assert.deepEqual(await foundIn(users, canaries), []);
  });

  it('would be found out: the search finds one that is stored unsealed, in the log and in the file', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const planted = [canaryOf('text', 1), canaryOf('bytes', 2), canaryOf('hex', 3)] as const;
    const { db } = users.store;
    await db.schema.createTable('scratch').addColumn('value', 'text').execute();
    const scratch = db.withTables<{ scratch: { value: string | Uint8Array } }>();
    await scratch
      .insertInto('scratch')
      .values({ value: `before ${planted[0]} after` })
      .execute();
    await scratch
      .insertInto('scratch')
      .values({ value: Buffer.from(planted[1]) })
      .execute();
    await scratch
      .insertInto('scratch')
      .values({ value: Buffer.from(planted[2]).toString('hex') })
      .execute();
    const absent = canaryOf('absent', 4);
    assert.deepEqual(await foundIn(users, [...planted, absent]), planted);
    await users.store.checkpoint();
    assert.deepEqual(await foundIn(users, [...planted, absent]), planted);
  });

  it('would be found out: with sealing switched off, contents and paths lie there', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const unsealed = new Proxy(users.keyring, {
      get: (keyring, name) =>
        name === 'seal' ? async (_: unknown, bytes: Uint8Array) => bytes : Reflect.get(keyring, name).bind(keyring),
    });
    const dotfiles = new Dotfiles({ store: users.store, keyring: unsealed, now: Date.now, onDamage: () => undefined });
    const [path, content] = [canaryOf('path', 1), canaryOf('content', 2)];
    await dotfiles.save('ada', saveOf(path, content));
    assert.deepEqual(await foundIn(users, [path, content]), [path, content]);
  });
});
