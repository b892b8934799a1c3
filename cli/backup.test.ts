import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ProtocolService } from '../test/fixtures/protocolService.fixture.ts';
import { PersonsMachine, spoonctlFile } from '../test/fixtures/spoonctl.fixture.ts';

const half = Buffer.alloc(100_000, 'x');

describe('spoonctl backup create', { timeout: 120_000 }, () => {
  let machine: PersonsMachine;
  let service: ProtocolService;
  let folder: string;
  before(async () => {
    machine = await PersonsMachine.create();
    service = await ProtocolService.start();
    machine.env = { SPOON_URL: service.url, SPOON_TOKEN: 'a-token' };
    folder = join(machine.homeDir, 'backups');
    await mkdir(folder);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await machine[Symbol.asyncDispose]();
  });
  const begin = (response: ServerResponse) =>
    response
      .writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': half.length * 2 })
      .write(half);

  it('writes what comes, for its owner only, or passes it on', async () => {
    service.answer('adminCreateBackup', (_, response) => {
      begin(response);
      response.end(half);
    });
    const file = join(folder, 'whole');
    const done = await machine.run(['backup', 'create', file]);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout.toString(), /It holds no root key/);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await readFile(file)).length, half.length * 2);
    assert.deepEqual(await readdir(folder), ['whole']);
    const piped = await machine.run(['backup', 'create', '-']);
    assert.deepEqual([piped.code, piped.stdout.length], [0, half.length * 2]);
    const again = await machine.run(['backup', 'create', file]);
    assert.deepEqual([again.code, /never replaces a file/.test(again.stderr)], [2, true]);
  });

  it('leaves nothing when the connection breaks', async () => {
    service.answer('adminCreateBackup', (_, response) => {
      begin(response);
      response.once('drain', () => response.destroy());
      if (!response.writableNeedDrain) response.destroy();
    });
    const broken = await machine.run(['backup', 'create', join(folder, 'broken')]);
    assert.equal(broken.code, 69, broken.stderr);
    assert.match(broken.stderr, /Nothing was kept/);
    assert.deepEqual(await readdir(folder), ['whole']);
  });

  it('leaves nothing when it is cancelled', async () => {
    const begun = Promise.withResolvers<void>();
    service.answer('adminCreateBackup', (_, response) => {
      begin(response);
      begun.resolve();
    });
    const child = spawn(process.execPath, [spoonctlFile, 'backup', 'create', join(folder, 'cancelled')], {
      env: machine.fullEnv,
      stdio: 'ignore',
    });
    const exited = once(child, 'exit');
    await begun.promise;
    child.kill('SIGINT');
    assert.deepEqual(await exited, [130, null]);
    assert.deepEqual(await readdir(folder), ['whole']);
  });
});
