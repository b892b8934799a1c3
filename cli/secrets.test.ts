import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TestHttpSide } from '../test/fixtures/httpSide.fixture.ts';
import { PersonsMachine } from '../test/fixtures/spoonctl.fixture.ts';

describe('spoonctl secrets', () => {
  let side: TestHttpSide;
  let machine: PersonsMachine;
  before(async () => {
    side = await TestHttpSide.start();
    machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: side.url, SPOON_TOKEN: await side.tokenOf('ada') };
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await side[Symbol.asyncDispose]();
  });
  const text = async (args: string[], input?: string) => {
    const { code, stdout, stderr } = await machine.run(['secrets', ...args], input);
    return { code, stdout: stdout.toString(), stderr };
  };
  const inBox = async (script: string) => (await machine.run(['exec', '--', 'sh', '-c', script])).stdout.toString();

  it('sets from a pipe without the line end, and from a file as it is; lists names; removes', async () => {
    assert.equal(
      (await text(['set', 'ONE'], 'value one\n')).stdout,
      'Set ONE, in shells. New ones of these have it.\n',
    );
    await writeFile(join(machine.homeDir, 'key.pem'), 'line one\nline two\n');
    assert.equal(
      (await text(['set', 'TWO', '--from', join(machine.homeDir, 'key.pem'), '--scope', 'shells,jobs'])).code,
      0,
    );
    assert.equal((await text(['set', 'OF_API', '--spoon', 'api'], 'x')).code, 0);
    assert.equal(await inBox('printf %s "$ONE|$TWO|$OF_API"'), 'value one|line one\nline two\n|');
    const rows = (await text(['ls'])).stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split(/\s{2,}/).slice(0, 3));
    assert.deepEqual(rows, [
      ['NAME', 'SPOON', 'IN'],
      ['OF_API', 'api', 'shells'],
      ['ONE', '-', 'shells'],
      ['TWO', '-', 'shells, jobs'],
    ]);
    assert.equal((await text(['rm', 'OF_API'])).code, 4);
    assert.equal((await text(['rm', 'OF_API', '--spoon', 'api'])).code, 0);
    assert.equal((await text(['rm', 'ONE'])).stdout, 'Removed ONE.\n');
    assert.equal(await inBox('printf %s "$ONE"'), '');
  });

  it('refuses names, values and scopes that cannot be, and sends nothing', async () => {
    for (const [args, input, code, words] of [
      [['set', 'PATH'], 'x', 1, /relies on/],
      [['set', 'api_key'], 'x', 1, /A-Z/],
      [['set', 'EMPTY'], '\n', 2, /empty/],
      [['set', 'LONG'], 'x'.repeat(65_537), 1, /64 KiB/],
      [['set', 'A', '--scope', 'everywhere'], 'x', 2, /shells, setup, jobs/],
      [['set', 'A'], undefined, 2, /stdin/],
      [['set', 'A', 'value-on-the-command-line'], 'x', 2, /too many arguments/],
    ] as const) {
      const done = await text([...args], input);
      assert.equal(done.code, code, done.stderr);
      assert.match(done.stderr, words);
    }
  });

  it('stops when the key of the service is another one, until told', async () => {
    assert.equal((await text(['set', 'PINNED'], 'x')).code, 0);
    const file = join(machine.homeDir, '.config/spoon/seal-keys.json');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const pins = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
    const [pin = ''] = Object.keys(pins);
    await writeFile(file, JSON.stringify({ [pin]: `${'A'.repeat(43)}=` }));
    const refused = await text(['set', 'PINNED'], 'y');
    assert.equal(refused.code, 5, refused.stderr);
    assert.match(refused.stderr, /another key.*Nothing was sent.*spoonctl secrets trust/);
    assert.equal(await inBox('printf %s "$PINNED"'), 'x');
    assert.match((await text(['trust'])).stdout, /^Secrets are sealed with key [0-9a-f]{8}/);
    assert.equal((await text(['set', 'PINNED'], 'y')).code, 0);
    assert.equal((await text(['new-key'])).code, 0);
    assert.equal((await text(['set', 'PINNED'], 'z')).code, 0);
    assert.equal(await inBox('printf %s "$PINNED"'), 'z');
  });
});
