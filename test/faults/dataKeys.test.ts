import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, open as openFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseHomePath } from '../../protocol/homePath.ts';
import { openEverything } from '../../service/backup/openEverything.ts';
import { Dotfiles } from '../../service/dotfiles/dotfiles.ts';
import { Users } from '../../service/identity/users.ts';
import type { Keyring } from '../../service/keyring/keyring.ts';
import { DataKeyRotations } from '../../service/keyring/rotateData.ts';
import { SealedValues } from '../../service/secrets/sealedValues.ts';
import { seal } from '../../service/secrets/sealing.fixture.ts';
import { Secrets } from '../../service/secrets/secrets.ts';
import type { Store } from '../../service/store/database.ts';
import { openDatabase } from '../fixtures/rotation.fixture.ts';

const onDamage = () => assert.fail('something does not open');
const fixture = fileURLToPath(new URL('../fixtures/rotation.fixture.ts', import.meta.url));
/** More than are sealed anew in one transaction. */
const manyFiles = 120;

interface Opened {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly dotfiles: Dotfiles;
  readonly secrets: Secrets;
  readonly values: SealedValues;
  close(): Promise<void>;
}

describe('exchanging data keys', { timeout: 300_000 }, () => {
  let folder: string;
  let original: string;
  let keyFile: string;
  let ids: string[];
  let serial = 0;

  async function open(file: string): Promise<Opened> {
    const { store, keyring } = await openDatabase(file, keyFile);
    const dotfiles = new Dotfiles({ store, keyring, now: Date.now, onDamage });
    const values = new SealedValues({ store, keyring, now: Date.now });
    const secrets = new Secrets({ store, keyring, sealedValues: values, now: Date.now, onDamage });
    const close = async () => {
      dotfiles.close();
      keyring.close();
      await store.close();
    };
    return { store, keyring, dotfiles, secrets, values, close };
  }
  async function copy(): Promise<string> {
    const file = join(folder, `${++serial}.db`);
    await cp(original, file);
    return file;
  }
  function rotationsOf({ store, keyring }: Opened, graceMs = 1): DataKeyRotations {
    return new DataKeyRotations({ store, keyring, graceMs, onProblem: (error) => assert.fail(String(error)) });
  }
  const finished = async (rotations: DataKeyRotations) => {
    while ((await rotations.status()).owners > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  const keysOf = async ({ store }: Opened) =>
    await store.db.selectFrom('data_keys').select(['id', 'owner_id', 'state']).orderBy('owner_id').execute();
  async function everythingOpens({ store, keyring }: Opened): Promise<void> {
    const { failed, failures, opened } = await openEverything(store, keyring);
    assert.equal(failed, 0, failures.join('\n'));
    assert.equal(opened['dotfile_versions.blob'], manyFiles + 1);
  }
  const save = (dotfiles: Dotfiles, userId: string, path: string, text: string, ifMatch?: string) =>
    dotfiles.save(userId, {
      path: parseHomePath(path),
      kind: 'file',
      bytes: Buffer.from(text),
      mode: undefined,
      origin: 'api',
      ifMatch,
    });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-rotate-'));
    original = join(folder, 'original.db');
    keyFile = join(folder, 'key');
    await writeFile(keyFile, randomBytes(32).toString('base64'));
    const opened = await open(original);
    const { store, keyring, dotfiles, secrets, values } = opened;
    const users = new Users({ store, keyring, separatesUsers: true });
    ids = [(await users.create({ displayName: 'Ada' })).id, (await users.create({ displayName: 'Bo' })).id];
    const [ada = '', bo = ''] = ids;
    const files = Array.from({ length: manyFiles }, (_, index) => {
      const path = parseHomePath(`.many/${index}`);
      return { path, kind: 'file' as const, bytes: Buffer.from(`content ${index}`), mode: 0o644 };
    });
    await dotfiles.saveAll(ada, { files, existing: 'refuse' });
    await save(dotfiles, bo, '.profile', 'of bo');
    const box = await seal(await values.key(bo), 'secret/API_KEY', 'a value');
    await secrets.set(bo, { name: 'API_KEY', spoon: null, box, scopes: undefined, file: undefined });
    await opened.close();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('destroys no key that is in use where an exchange is committed and not yet on the disk', async (t) => {
    const opened = await open(await copy());
    const [, bo = ''] = ids;
    // In memory, as after any save.
    await opened.keyring.mac(bo, 'path', Buffer.from('x'));
    const handle = await openFile(keyFile);
    const onDisk = Promise.withResolvers<void>();
    t.mock.method(Object.getPrototypeOf(handle), 'datasync', () => onDisk.promise);
    await handle.close();
    const rotations = rotationsOf(opened);
    const started = rotations.start([bo]);
    while ((await keysOf(opened)).every(({ state }) => state === 'active')) await nextTurn();
    rotations.resume();
    // Many more turns of the event loop than it has to do.
    for (let turn = 0; turn < 1_000; turn++) await nextTurn();
    onDisk.resolve();
    await started;
    await finished(rotations);
    await rotations.close();
    await opened.close();
    const again = await open(join(folder, `${serial}.db`));
    await everythingOpens(again);
    await again.close();
  });

  it('seals everything anew while people save, and then destroys the old ones; paths, hashes and versions stay', async () => {
    const opened = await open(await copy());
    const { dotfiles, keyring } = opened;
    const [ada = '', bo = ''] = ids;
    const [listed, mac] = [await dotfiles.list(ada), await keyring.mac(ada, 'path', Buffer.from('x'))];
    const old = (await keysOf(opened)).map(({ id }) => id);
    const rotations = rotationsOf(opened, 50);
    await rotations.start(ids);
    let { dotfile } = await save(dotfiles, bo, '.busy', '0');
    let saves = 1;
    const saving = (async () => {
      while ((await rotations.status()).owners > 0) {
        ({ dotfile } = await save(dotfiles, bo, '.busy', String(saves++), dotfile.etag));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await finished(rotations);
    await saving;
    const keys = await keysOf(opened);
    assert.deepEqual(
      keys.map(({ state }) => state),
      ['active', 'active', 'active'],
    );
    // The system's stays: no token could be told without it.
    assert.equal(
      keys
        .filter(({ id }) => old.includes(id))
        .map(({ owner_id }) => owner_id)
        .join(),
      'system',
    );
    const { failed } = await openEverything(opened.store, keyring);
    assert.equal(failed, 0);
    assert.deepEqual(await dotfiles.list(ada), listed);
    assert.deepEqual(await keyring.mac(ada, 'path', Buffer.from('x')), mac);
    assert.ok((await rotations.status()).resealed >= manyFiles * 2);
    const { environment } = await opened.secrets.forProcess(bo, 'shells', null);
    assert.deepEqual(environment, { API_KEY: 'a value' });
    await rotations.close();
    await opened.close();
  });

  it('keeps an old key for what was sealed before and is stored late', async () => {
    const opened = await open(await copy());
    const { store, keyring } = opened;
    const [, bo = ''] = ids;
    const row = await store.db
      .selectFrom('dotfile_versions')
      .selectAll()
      .where('user_id', '=', bo)
      .executeTakeFirstOrThrow();
    const context = {
      ownerId: bo,
      kind: 'file',
      objectId: row.dotfile_id,
      version: 1,
      mode: 0o100000 | row.mode,
    } as const;
    const late = await keyring.seal(context, Buffer.from('of bo'));
    const rotations = rotationsOf(opened, 300);
    await rotations.start([bo]);
    while ((await rotations.status()).resealed === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    await store.db
      .updateTable('dotfile_versions')
      .set({ blob: late })
      .where('dotfile_id', '=', row.dotfile_id)
      .execute();
    await finished(rotations);
    await everythingOpens(opened);
    await rotations.close();
    await opened.close();
  });

  it('keeps an old key that a damaged value names, and says so', async () => {
    const opened = await open(await copy());
    const { store, keyring } = opened;
    const [, bo = ''] = ids;
    const row = await store.db.selectFrom('passwords').selectAll().execute();
    assert.deepEqual(row, []);
    const blob = Buffer.from(
      await keyring.seal({ ownerId: bo, kind: 'secret', objectId: 'another', version: 0, mode: 0 }, Buffer.of(1)),
    );
    await store.db.insertInto('passwords').values({ user_id: bo, hash_enc: blob, changed_ms: 1 }).execute();
    const problems: unknown[] = [];
    const rotations = new DataKeyRotations({ store, keyring, graceMs: 1, onProblem: (error) => problems.push(error) });
    await rotations.start([bo]);
    while (problems.length < 3) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal((await rotations.status()).owners, 1);
    await store.db.deleteFrom('passwords').execute();
    await finished(rotations);
    await rotations.close();
    await everythingOpens(opened);
    await opened.close();
  });

  it('exchanges seal keys too: stored values are sealed anew, and the old private keys go', async () => {
    const opened = await open(await copy());
    const { store, values, secrets } = opened;
    const [, bo = ''] = ids;
    const before = await values.key(bo);
    assert.equal(await values.renewKey(bo, 0), undefined, 'it is younger');
    assert.deepEqual(await values.renewKey(bo, Date.now()), { sealed: 1, unopened: 0 });
    assert.notEqual((await values.key(bo)).keyId, before.keyId);
    assert.equal((await store.db.selectFrom('seal_keys').selectAll().execute()).length, 1);
    assert.deepEqual((await secrets.forProcess(bo, 'shells', null)).environment, { API_KEY: 'a value' });
    const late = await seal(before, 'secret/OTHER', 'x');
    const refused = secrets.set(bo, { name: 'OTHER', spoon: null, box: late, scopes: undefined, file: undefined });
    await assert.rejects(refused, { code: 'seal-invalid' });
    await opened.close();
  });

  it('killed at any step loses nothing, and is gone on with', async () => {
    let steps = 0;
    for (let step = 1; ; step++) {
      const file = await copy();
      const { signal, status, stderr } = spawnSync(process.execPath, [fixture, file, keyFile, String(step)], {
        encoding: 'utf8',
      });
      assert.ok(signal === 'SIGKILL' || status === 0, stderr);
      const opened = await open(file);
      await everythingOpens(opened);
      const rotations = rotationsOf(opened);
      rotations.resume();
      await finished(rotations);
      await everythingOpens(opened);
      assert.equal((await keysOf(opened)).length, 3);
      await rotations.close();
      await opened.close();
      if (signal === null) break;
      steps = step;
    }
    // Two exchanges, at least four batches of the two, and one end of each.
    assert.ok(steps >= 8, `${steps} steps`);
  });
});
