import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packSealed, sealedHeader } from '../../protocol/sealedBox.ts';
import type { SealKey } from '../../protocol/sealKeys.ts';
import type { SecretList } from '../../protocol/secrets.ts';
import { secretUse } from '../../protocol/secrets.ts';
import type { OpenedTerminal } from '../../protocol/terminals.ts';
import { ownContainers } from '../fixtures/ownContainers.fixture.ts';
import { RunningService, type TestUser, testEngines } from '../runningService.ts';

const name = 'CANARY_NAME_4C';
const value = 'canary-value-8d21';
const canaries = [name, value];
const foundIn = (text: string | Buffer) => canaries.filter((canary) => text.includes(canary));

/** Everything that is stored, as it is on the disk. */
async function onDisk(service: RunningService): Promise<string[]> {
  const names = (await readdir(service.workdir)).filter((file) => file.startsWith('spoon.db'));
  assert.ok(names.includes('spoon.db-wal'), `the store is where this looks: ${names}`);
  const found = new Set<string>();
  for (const file of names)
    for (const canary of foundIn(await readFile(join(service.workdir, file)))) found.add(canary);
  return [...found].sort();
}

/** Of every process of this machine, those in boxes included. */
async function inArguments(): Promise<string[]> {
  const found = new Set<string>();
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    // One that has ended meanwhile has no arguments.
    const text = await readFile(`/proc/${pid}/cmdline`).catch(() => '');
    if (text.includes(value)) found.add(text.toString().replaceAll('\0', ' '));
  }
  return [...found];
}

async function setSecret(service: RunningService, user: TestUser, ...options: string[]): Promise<string> {
  const done = await service.spoonctl(user, ['secrets', 'set', name, ...options], `${value}\n`);
  assert.equal(done.code, 0, done.stderr);
  return done.stdout;
}

for (const engine of testEngines) {
  describe(`secrets in boxes (${engine})`, () => {
    it('are in what is started, and in nothing else that anybody could look at', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await service.addUser('Ada');
      const bo = await service.addUser('Bo');
      assert.match(await setSecret(service, ada), new RegExp(`^Set ${name}, in shells\\.`));
      assert.equal(await service.inBox(ada, 'sh', '-c', `echo $${name}`), value);
      assert.equal(await service.inBox(bo, 'sh', '-c', `echo "[$${name}]"`), '[]');

      const opened = await service.fetch(ada, '/v1/terminals', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
      const { terminal } = (await opened.json()) as OpenedTerminal;
      // Who has it, as the user sees: shells, and not the daemon that started them.
      const holders = await service.inBox(
        ada,
        'sh',
        '-c',
        'for p in /proc/[0-9]*; do if tr "\\0" "\\n" <$p/environ | grep -q "^CANARY_NAME"; then cat $p/comm; fi; done 2>/dev/null',
      );
      assert.deepEqual(
        [...new Set(holders.split('\n'))].filter((comm) => !['sh', 'tr', 'grep', 'cat', 'bash'].includes(comm)),
        [],
      );
      assert.ok(holders.split('\n').includes('bash'), 'the terminal has it');
      assert.deepEqual(await inArguments(), []);

      // An open shell keeps the old value, which is said.
      assert.match(await setSecret(service, ada), /Open shells keep what they have: /);
      assert.equal(terminal.id.length, 22);

      const listed = await service.fetch(ada, '/v1/secrets');
      const list = await listed.text();
      assert.deepEqual(
        (JSON.parse(list) as SecretList).secrets.map((secret) => secret.name),
        [name],
      );
      assert.ok(!list.includes(value));
      assert.equal((await service.fetch(ada, `/v1/secrets/${name}`)).status, 405);
      const refused = await service.fetch(ada, `/v1/secrets/${name}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sealed: Buffer.from(`${value} not sealed`.repeat(8)).toString('base64') }),
      });
      assert.equal(refused.status, 422);
      assert.ok(!(await refused.text()).includes(value));
      assert.deepEqual((await (await service.fetch(bo, '/v1/secrets')).json()) as SecretList, { secrets: [] });

      assert.deepEqual(await onDisk(service), []);
      assert.deepEqual(foundIn(service.log), []);
      assert.match(service.log, /"route":"\/v1\/secrets\/:name"/, 'the log has the requests');
      if (engine === 'docker') {
        const boxes = await ownContainers(service);
        assert.equal(boxes.length, 2);
        for (const box of boxes) assert.deepEqual(foundIn(JSON.stringify(await box.inspect())), []);
      }

      const asFile = await service.spoonctl(ada, ['secrets', 'set', 'KEY_FILE', '--file'], Buffer.of(0, 0xff, 0x41));
      assert.equal(asFile.code, 0, asFile.stderr);
      const seen = await service.inBox(
        ada,
        'sh',
        '-c',
        'stat -c %a "$KEY_FILE"; od -An -tx1 "$KEY_FILE"; df --output=fstype "$KEY_FILE"',
      );
      assert.deepEqual(seen.split(/\s+/), ['600', '00', 'ff', '41', 'Type', 'tmpfs']);

      const removed = await service.spoonctl(ada, ['secrets', 'rm', name]);
      assert.equal(removed.code, 0, removed.stderr);
      assert.equal(await service.inBox(ada, 'sh', '-c', `echo "[$${name}]"`), '[]');
    });
  });
}

describe('the search for secrets on disk', () => {
  it('finds them when sealing is off', async () => {
    const imports = ['./test/fixtures/encryptionOff.fixture.ts', './test/fixtures/sealingOff.fixture.ts'];
    await using service = await RunningService.start({ engine: 'process', imports });
    const ada = await service.addUser('Ada');
    const { keyId } = (await (await service.fetch(ada, '/v1/me/seal-key')).json()) as SealKey;
    const box = Buffer.concat([
      sealedHeader(keyId),
      Buffer.alloc(48),
      packSealed(secretUse(name, null), Buffer.from(value)),
    ]);
    const done = await service.fetch(ada, `/v1/secrets/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sealed: box.toString('base64') }),
    });
    assert.equal(done.status, 200, await done.text());
    assert.equal(await service.inBox(ada, 'sh', '-c', `echo $${name}`), value);
    assert.deepEqual(await onDisk(service), [...canaries].sort());
  });
});
