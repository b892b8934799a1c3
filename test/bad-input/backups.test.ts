import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { Backups } from '../../service/backup/backups.ts';
import { BackupFile } from '../../service/backup/readBackup.ts';
import { refuseUsed, restoreDatabase } from '../../service/backup/restoreDatabase.ts';
import { readRootKey } from '../../service/keyring/rootKey.ts';
import { sealedColumns } from '../../service/keyring/sealedColumns.ts';
import { seal } from '../../service/secrets/sealing.fixture.ts';
import { verifyBackup } from '../../service/verifyBackup.ts';
import { TestHttpSide } from '../fixtures/httpSide.fixture.ts';

const newRoot = () => readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] });

describe('backups', () => {
  let side: TestHttpSide;
  let backups: Backups;
  let file: string;
  let serial = 0;
  const newPath = () => join(side.folder, `case-${++serial}`);

  async function make(): Promise<string> {
    const path = newPath();
    const { bytes, content } = await backups.create();
    const written = await buffer(content);
    assert.equal(written.length, bytes);
    await writeFile(path, written);
    return path;
  }

  before(async () => {
    side = await TestHttpSide.start();
    const { store, keyring, folder } = side;
    backups = new Backups({
      store,
      keyring,
      folder,
      version: '1.2.3',
      now: Date.now,
      onError: (error) => assert.fail(String(error)),
    });
    const token = await side.tokenOf('ada');
    for (const content of ['one', 'two']) {
      const etag = (await side.call('GET', '/v1/dotfiles/content?path=.bashrc', token)).headers.get('etag');
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/octet-stream',
        ...(etag === null ? {} : { 'if-match': etag }),
      };
      const path = '/v1/dotfiles/content?path=.bashrc';
      const saved = await fetch(`${side.url}${path}`, { method: 'PUT', headers, body: content });
      assert.equal(saved.status, 200, await saved.text());
    }
    await side.setPassword(side.ada, 'a password of some length');
    const key = await side.json<{ keyId: string; publicKey: string }>('GET', '/v1/me/seal-key', token);
    const sealed = (await seal(key, 'secret/API_KEY', 'a value')).toString('base64');
    await side.json('PUT', '/v1/secrets/API_KEY', token, { sealed });
    file = await make();
  });
  after(() => side[Symbol.asyncDispose]());

  it('know every column that holds something sealed', async () => {
    const plain = /(_mac|^mac|^hash|^kcv|^kdf_salt|wrapped)$/;
    const tables = await side.store.db.introspection.getTables();
    const bytes = tables.flatMap(({ name, columns }) =>
      columns
        .filter(({ dataType, name: column }) => dataType === 'bytea' && !plain.test(column))
        .map((one) => `${name}.${one.name}`),
    );
    assert.deepEqual(bytes.sort(), sealedColumns.map(({ table, column }) => `${table}.${column}`).sort());
  });

  it('are whole, say what they are, hold no key, and leave nothing beside them', async () => {
    const { contents, faults, rows, schema } = await verifyBackup(file, side.root);
    assert.deepEqual(faults, []);
    assert.equal(contents?.failed, 0);
    assert.deepEqual([rows.users, rows.dotfile_versions, rows.secrets], [2, 2, 1]);
    assert.equal(contents.opened['dotfile_versions.blob'], 2);
    assert.equal(contents.opened['sealed_values.box_enc'], 1);
    assert.ok(contents.audit.entries > 0);
    assert.ok(schema > 10);
    assert.ok(!(await readdir(side.folder)).includes('backup.tmp'));
    const bytes = await readFile(file);
    for (const word of ['.bashrc', 'API_KEY', 'a password of some']) assert.ok(!bytes.includes(word), word);
    assert.ok(!bytes.includes(await side.root.current.bytes(Buffer.alloc(16))));
  });

  it('without the key are looked at and not opened, and with another one refused', async () => {
    assert.equal((await verifyBackup(file, undefined)).contents, null);
    await assert.rejects(verifyBackup(file, await newRoot()), { code: 'key-wrong' });
  });

  it('that were cut, lengthened or changed anywhere are refused', async () => {
    const bytes = await readFile(file);
    const refused = async (changed: Buffer) => {
      const path = newPath();
      await writeFile(path, changed);
      return verifyBackup(path, side.root).then(
        ({ faults }) => faults.length > 0,
        (error: { code: string }) => ['backup-invalid', 'schema-newer'].includes(error.code),
      );
    };
    assert.ok(await refused(bytes.subarray(0, -1)));
    assert.ok(await refused(bytes.subarray(0, 3)));
    assert.ok(await refused(Buffer.alloc(0)));
    assert.ok(await refused(Buffer.concat([bytes, Buffer.of(0)])));
    const step = Math.floor(bytes.length / 97);
    const places = [0, 2, 3, 6, 7, 40, bytes.length - 1];
    for (let at = step; at < bytes.length; at += step) places.push(at);
    for (const at of places) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.ok(await refused(changed), `byte ${at}`);
    }
  });

  it('name what does not open', async () => {
    const { store } = side;
    const row = await store.db
      .selectFrom('dotfile_versions')
      .selectAll()
      .where('version', '=', 1)
      .executeTakeFirstOrThrow();
    const change = (blob: Uint8Array) =>
      store.db
        .updateTable('dotfile_versions')
        .set({ blob })
        .where('dotfile_id', '=', row.dotfile_id)
        .where('version', '=', 1)
        .execute();
    const damaged = Buffer.from(row.blob);
    damaged[30] = (damaged[30] ?? 0) ^ 1;
    await change(damaged);
    const { contents, faults } = await verifyBackup(await make(), side.root);
    await change(row.blob);
    assert.deepEqual(faults, ['1 values do not open.']);
    assert.deepEqual(contents?.failures, [`dotfile_versions.blob of ${row.dotfile_id}, 1`]);
  });

  it('are made one at a time', async () => {
    const both = await Promise.allSettled([backups.create(), backups.create()]);
    const codes = both.map((one) =>
      one.status === 'rejected' ? one.reason.code : one.value.content.destroy() && 'made',
    );
    assert.deepEqual(codes, ['made', 'backup-running']);
  });

  it('are restored into an empty folder only, wholly or not at all', async () => {
    const root = newPath();
    const databaseFile = join(root, 'spoon.db');
    await refuseUsed(root, databaseFile);
    for (const folder of ['', 'homes', 'homes/lost+found', 'run']) await mkdir(join(root, folder));
    await writeFile(join(root, 'lock'), '');
    await refuseUsed(root, databaseFile);
    await mkdir(join(root, 'homes/ada'));
    await assert.rejects(refuseUsed(root, databaseFile), /homes\/ada/);
    const other = newPath();
    await mkdir(other);
    await writeFile(join(other, 'notes.txt'), '');
    await assert.rejects(refuseUsed(other, databaseFile), { code: 'workdir-not-empty' });

    await using backup = await BackupFile.open(file);
    await assert.rejects(restoreDatabase(backup, databaseFile, await newRoot()), { code: 'key-wrong' });
    assert.deepEqual((await readdir(root)).sort(), ['homes', 'lock', 'run']);
    await restoreDatabase(backup, databaseFile, side.root);
    assert.equal((await stat(databaseFile)).mode & 0o777, 0o600);
    await assert.rejects(refuseUsed(root, databaseFile), /spoon\.db/);
  });

  it('of a newer Spoon are refused by their manifest and, where that lies, by their database', async () => {
    const newer = newPath();
    await copyFile(file, newer);
    const bytes = await readFile(newer);
    const schema = /"schema":(\d+)/.exec(bytes.toString('latin1'))?.[1] ?? assert.fail();
    const at = bytes.indexOf(`"schema":${schema}`);
    const handle = await open(newer, 'r+');
    await handle.write(`"schema":${'9'.repeat(schema.length)}`, at);
    await handle.close();
    await assert.rejects(verifyBackup(newer, side.root), { code: 'schema-newer' });
    const database = new DatabaseSync(join(side.folder, 'spoon.db'));
    database.exec("INSERT INTO migrations VALUES (999, 'future', 1)");
    const lying = await make();
    database.exec('DELETE FROM migrations WHERE number = 999');
    database.close();
    await assert.rejects(verifyBackup(lying, side.root), { code: 'schema-newer' });
    const target = newPath();
    await using backup = await BackupFile.open(lying);
    await assert.rejects(restoreDatabase(backup, target, side.root), { code: 'schema-newer' });
    await assert.rejects(stat(target), { code: 'ENOENT' });
  });
});
