import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';
import { maxSecretBytes, maxSecretBytesPerUser, maxSecretsPerUser } from '../../protocol/limits.ts';
import { type SecretScope, secretUse } from '../../protocol/secrets.ts';
import { SealingBench, seal } from './sealing.fixture.ts';
import { Secrets } from './secrets.ts';

const code = (expected: string) => (error: unknown) => error instanceof SpoonError && error.code === expected;

interface Given {
  readonly spoon?: string;
  readonly scopes?: SecretScope[];
  readonly file?: boolean;
}

async function open(t: TestContext) {
  const bench = await SealingBench.open(t);
  let nowMs = 0;
  const damages: SpoonError[] = [];
  const secrets = new Secrets({
    store: bench.store,
    keyring: bench.keyring,
    sealedValues: bench.values,
    now: () => ++nowMs,
    onDamage: ({ error }) => damages.push(error),
  });
  const set = async (name: string, value: string | Uint8Array, { spoon, scopes, file }: Given = {}, user = 'ada') => {
    const box = await seal(await bench.values.key(user), secretUse(name, spoon ?? null), value);
    return secrets.set(user, { name, spoon: spoon ?? null, box, scopes, file });
  };
  const environment = async (scope: SecretScope, spoon: string | null = null, user = 'ada') =>
    (await secrets.forProcess(user, scope, spoon)).environment;
  return { bench, secrets, set, environment, damages };
}

describe('secrets', () => {
  it('go to what they are meant for, and nowhere else', async (t) => {
    const { set, environment } = await open(t);
    await set('ALL', 'all', { scopes: ['shells', 'setup', 'jobs'] });
    await set('SHELL_ONLY', 'shell');
    await set('SETUP_ONLY', 'setup', { scopes: ['setup'] });
    await set('OF_SPOON', 'spoon', { spoon: 'api' });
    await set('ALL', 'of api', { spoon: 'api', scopes: ['shells'] });
    assert.deepEqual(await environment('shells'), { ALL: 'all', SHELL_ONLY: 'shell' });
    assert.deepEqual(await environment('shells', 'api'), { ALL: 'of api', SHELL_ONLY: 'shell', OF_SPOON: 'spoon' });
    assert.deepEqual(await environment('shells', 'web'), { ALL: 'all', SHELL_ONLY: 'shell' });
    assert.deepEqual(await environment('setup'), { ALL: 'all', SETUP_ONLY: 'setup' });
    assert.deepEqual(await environment('jobs', 'api'), { ALL: 'all' });
    assert.deepEqual(await environment('shells', null, 'bo'), {});
  });

  it('appear elsewhere with the value that they have, and only where there is one', async (t) => {
    const { set, secrets, environment } = await open(t);
    await set('KEY', 'value');
    const place = (name: string, given: { scopes?: SecretScope[]; file?: boolean; spoon?: string }) =>
      secrets.set('ada', { name, spoon: null, box: undefined, scopes: undefined, file: undefined, ...given });
    assert.deepEqual(await place('KEY', { scopes: ['shells', 'jobs'] }), {
      name: 'KEY',
      spoon: null,
      scopes: ['shells', 'jobs'],
      file: false,
      updatedMs: 1,
    });
    assert.deepEqual(await environment('jobs'), { KEY: 'value' });
    await place('KEY', { scopes: ['setup'] });
    assert.deepEqual([await environment('shells'), await environment('setup')], [{}, { KEY: 'value' }]);
    // Shells that are open have not got it again.
    assert.ok((await place('KEY', { scopes: ['shells'] })).updatedMs > 1);
    await assert.rejects(place('OTHER', { scopes: ['jobs'] }), code('not-found'));
    await assert.rejects(place('KEY', { spoon: 'api' }), code('not-found'));
    await set('BYTES', Uint8Array.of(0), { file: true });
    await assert.rejects(place('BYTES', { file: false }), code('secret-invalid'));
    // It still counts for what it is.
    await assert.rejects(set('BIG', 'x'.repeat(maxSecretBytes + 1)), code('body-too-large'));
  });

  it('are checked and counted as they are when they appear elsewhere, and not as they were a moment before', async (t) => {
    const { bench, set, secrets } = await open(t);
    await set('KEY', 'text');
    const others = Promise.withResolvers<void>();
    const busy = bench.store.transaction(() => others.promise);
    const changed = set('KEY', Uint8Array.of(0, 0xff), { file: true });
    // Many more turns of the event loop than it takes to stand in line for the store.
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    const place = (file: boolean) =>
      secrets.set('ada', { name: 'KEY', spoon: null, box: undefined, scopes: undefined, file });
    const asText = assert.rejects(place(false), code('secret-invalid'));
    const asFile = place(true);
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    others.resolve();
    await Promise.all([busy, changed, asText, asFile]);
    const { size } = await bench.store.db.selectFrom('secrets').select('size').executeTakeFirstOrThrow();
    assert.equal(size, 2);
  });

  it('are files where that is wanted, of any bytes', async (t) => {
    const { set, secrets } = await open(t);
    await set('KEY', Uint8Array.of(0, 0xff), { file: true });
    await set('KEY', Uint8Array.of(0, 0xfe));
    await set('TEXT', 'text');
    const { environment, secretFiles } = await secrets.forProcess('ada', 'shells', null);
    assert.deepEqual([environment, secretFiles], [{ TEXT: 'text' }, { KEY: 'AP4=' }]);
    await assert.rejects(set('KEY', Uint8Array.of(0), { file: false }), code('secret-invalid'));
  });

  it('are listed by name and never by value (row 73)', async (t) => {
    const { set, secrets } = await open(t);
    await set('B', 'value-canary');
    await set('A', 'value-canary', { spoon: 'api', scopes: ['jobs'] });
    const list = await secrets.list('ada');
    assert.deepEqual(list, [
      { name: 'A', spoon: 'api', scopes: ['jobs'], file: false, updatedMs: 2 },
      { name: 'B', spoon: null, scopes: ['shells'], file: false, updatedMs: 1 },
    ]);
    assert.deepEqual(await secrets.list('bo'), []);
  });

  it('keep their scopes when only the value changes, and go when removed', async (t) => {
    const { set, secrets, environment } = await open(t);
    await set('A', 'one', { scopes: ['setup'] });
    assert.deepEqual((await set('A', 'two\n')).scopes, ['setup']);
    assert.deepEqual(await environment('setup'), { A: 'two\n' });
    await assert.rejects(secrets.remove('ada', 'A', 'api'), code('not-found'));
    await assert.rejects(secrets.remove('bo', 'A', null), code('not-found'));
    await secrets.remove('ada', 'A', null);
    assert.deepEqual([await secrets.list('ada'), await environment('setup')], [[], {}]);
  });

  it('are refused with names and values that no environment may have (rows 70, 72, 76)', async (t) => {
    const { set, secrets } = await open(t);
    for (const name of ['LD_PRELOAD', 'PATH', 'A=B', '1A', '', 'api_key']) {
      await assert.rejects(set(name, 'x'), code('env-name-invalid'), name);
    }
    await set('API_KEY', 'x');
    await assert.rejects(set('Api_Key', 'x'), code('env-name-invalid'));
    await assert.rejects(set('A', 'x', { spoon: '../x' }), code('spoon-name-invalid'));
    await assert.rejects(set('A', 'a\0b'), code('secret-invalid'));
    await assert.rejects(set('A', Uint8Array.of(0x61, 0xff)), code('secret-invalid'));
    await assert.rejects(set('A', 'x'.repeat(maxSecretBytes + 1)), code('body-too-large'));
    assert.deepEqual(
      (await secrets.list('ada')).map(({ name }) => name),
      ['API_KEY'],
    );
    await set('A', 'x'.repeat(maxSecretBytes));
    await set('A', 'line one\nline two\n');
  });

  it('are so many and so large at most', async (t) => {
    const { set } = await open(t);
    const largest = 'x'.repeat(maxSecretBytes);
    for (let index = 0; index < maxSecretBytesPerUser / maxSecretBytes; index++) await set(`LARGE_${index}`, largest);
    await assert.rejects(set('ONE_MORE', 'x'), code('secret-limit'));
    for (let index = 0; index < maxSecretBytesPerUser / maxSecretBytes; index++) await set(`LARGE_${index}`, '');
    for (let index = 8; index < maxSecretsPerUser; index++) await set(`MORE_${index}`, 'x');
    await assert.rejects(set('ONE_MORE', 'x'), code('secret-limit'));
    await set('MORE_8', 'changed');
    await set('ONE_MORE', 'x', {}, 'bo');
  });

  it('that are damaged are left out and said, and the others work', async (t) => {
    const { bench, set, secrets, environment, damages } = await open(t);
    await set('GOOD', 'good');
    await set('LOST', 'lost');
    await set('EDITED', 'edited');
    const rows = await bench.store.db.selectFrom('secrets').selectAll().orderBy('updated_ms').execute();
    const [, lost, edited] = rows;
    assert(lost && edited);
    await bench.store.db.deleteFrom('sealed_values').where('use_mac', '=', lost.use_mac).execute();
    const head = Buffer.from(edited.head_enc);
    head[20] = (head[20] ?? 0) ^ 1;
    await bench.store.db.updateTable('secrets').set({ head_enc: head }).where('use_mac', '=', edited.use_mac).execute();
    const { notes } = await secrets.forProcess('ada', 'shells', null);
    assert.match(notes.join('\n'), /^Damaged secrets were left out: 1[^\n]*\nThe secret LOST cannot be opened/);
    assert.deepEqual(await environment('shells'), { GOOD: 'good' });
    assert.ok(damages.length > 0);
  });
});
