import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { type RootKeySettings, readRootKey } from './rootKey.ts';

const none = { oldKeys: [] };
const salt = new Uint8Array(16);
const goodSecret = 'a text that only this test has ever seen';

/** Also says that no value is ever quoted. */
async function refusal(settings: RootKeySettings): Promise<string> {
  try {
    await readRootKey(settings);
  } catch (error) {
    assert(error instanceof SpoonError, String(error));
    for (const value of [settings.key, settings.instanceSecret, ...settings.oldKeys]) {
      if (value !== undefined && value.length > 8) assert(!error.message.includes(value), 'the value is in the text');
    }
    return `${error.code}: ${error.detail}`;
  }
  return 'accepted';
}

describe('SPOON_ENCRYPTION_KEY', () => {
  const bytes = randomBytes(32);
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    it(`is taken as ${encoding}`, async () => {
      for (const text of [bytes.toString(encoding), bytes.toString(encoding).replace(/=$/, '')]) {
        const root = await readRootKey({ key: text, ...none });
        assert.equal(root.source, 'SPOON_ENCRYPTION_KEY');
        assert.deepEqual(await root.current.bytes(salt), bytes);
      }
    });
  }
  it('is taken as hex in capitals', async () => {
    const root = await readRootKey({ key: bytes.toString('hex').toUpperCase(), ...none });
    assert.deepEqual(await root.current.bytes(salt), bytes);
  });

  const hex = bytes.toString('hex');
  const bad: readonly (readonly [what: string, key: string])[] = [
    ['empty', ''],
    ['31 bytes', randomBytes(31).toString('base64')],
    ['33 bytes', randomBytes(33).toString('base64')],
    ['31 bytes in hex', hex.slice(2)],
    ['33 bytes in hex', `${hex}00`],
    ['hex with spaces', hex.replaceAll(/(..)/g, '$1 ').trim()],
    ['hex with a newline', `${hex}\n`],
    ['hex with a prefix', `0x${hex}`],
    ['base64 with a space', ` ${bytes.toString('base64')}`],
    ['base64 with characters that Node skips', `${bytes.toString('base64')}!!`],
    ['all zero', '0'.repeat(64)],
    ['one byte repeated', 'ab'.repeat(32)],
    ['two bytes repeated', 'ab01'.repeat(16)],
    ['half of it repeated', hex.slice(0, 32).repeat(2)],
    ['counting up', Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('hex')],
    ['counting down from 255', Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index)).toString('base64')],
    ['a text of 32 letters', Buffer.from('this-is-my-super-secret-key-1234').toString('base64')],
  ];
  for (const [what, key] of bad) {
    it(`is refused: ${what}`, async () => {
      assert.match(await refusal({ key, ...none }), /^key-invalid: SPOON_ENCRYPTION_KEY .*openssl rand -base64 32/);
    });
  }

  it('wins over INSTANCE_SECRET', async () => {
    const root = await readRootKey({ key: hex, instanceSecret: goodSecret, ...none });
    assert.equal(root.source, 'SPOON_ENCRYPTION_KEY');
  });
});

describe('INSTANCE_SECRET', () => {
  it('gives a key that depends on the text and on the salt of the database', async () => {
    const root = await readRootKey({ instanceSecret: goodSecret, ...none });
    assert.equal(root.source, 'INSTANCE_SECRET');
    const key = await root.current.bytes(salt);
    assert.equal(key.length, 32);
    assert.deepEqual(await root.current.bytes(new Uint8Array(16)), key);
    assert.notDeepEqual(await root.current.bytes(new Uint8Array(16).fill(1)), key);
    const other = await readRootKey({ instanceSecret: `${goodSecret}.`, ...none });
    assert.notDeepEqual(await other.current.bytes(salt), key);
  });
  for (const instanceSecret of [
    '',
    'short',
    'x'.repeat(31),
    'x'.repeat(64),
    'ab'.repeat(40),
    `${'y'.repeat(40)}\ud800`,
  ]) {
    it(`is refused: ${JSON.stringify(instanceSecret).slice(0, 20)}`, async () => {
      assert.match(await refusal({ instanceSecret, ...none }), /^key-invalid: INSTANCE_SECRET /);
    });
  }
});

describe('no key', () => {
  it('is refused, with the names of both variables and no key made up', async () => {
    assert.match(await refusal(none), /^key-missing: .*SPOON_ENCRYPTION_KEY.*INSTANCE_SECRET/);
  });
});

describe('SPOON_ENCRYPTION_KEYS_OLD', () => {
  it('takes keys and texts', async () => {
    const old = [randomBytes(32).toString('base64'), goodSecret];
    const root = await readRootKey({ key: randomBytes(32).toString('hex'), oldKeys: old });
    assert(root.old.length >= 2);
  });
  it('names itself when an entry is neither', async () => {
    const settings = { key: randomBytes(32).toString('hex'), oldKeys: ['too short for both'] };
    assert.match(await refusal(settings), /^key-invalid: SPOON_ENCRYPTION_KEYS_OLD /);
  });
});

describe('a key file (row 96)', () => {
  let dir: string;
  const key = randomBytes(32);
  const file = (name: string) => join(dir, name);
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spoon-key-'));
    await writeFile(file('good'), `${key.toString('base64')}\n`, { mode: 0o600 });
  });
  after(() => rm(dir, { recursive: true }));

  it('is taken, without the newline at its end', async () => {
    const root = await readRootKey({ keyFile: file('good'), ...none });
    assert.equal(root.source, 'SPOON_ENCRYPTION_KEY_FILE');
    assert.deepEqual(await root.current.bytes(salt), key);
  });
  it('may hold the instance secret', async () => {
    await writeFile(file('secret'), goodSecret, { mode: 0o400 });
    const root = await readRootKey({ instanceSecretFile: file('secret'), ...none });
    assert.equal(root.source, 'INSTANCE_SECRET_FILE');
  });
  it('is refused beside the variable itself', async () => {
    const settings = { key: key.toString('hex'), keyFile: file('good'), ...none };
    assert.match(await refusal(settings), /^key-invalid: .*set twice/);
  });
  for (const mode of [0o644, 0o640, 0o660, 0o604, 0o601]) {
    it(`is refused with mode ${mode.toString(8)}`, async () => {
      const name = file(`mode-${mode.toString(8)}`);
      await writeFile(name, key.toString('base64'));
      await chmod(name, mode);
      assert.match(await refusal({ keyFile: name, ...none }), /^key-invalid: .*chmod 600/);
    });
  }
  it('is refused as a symbolic link, a folder, a pipe, and when it is not there', async () => {
    await symlink(file('good'), file('link'));
    assert.match(await refusal({ keyFile: file('link'), ...none }), /symbolic link/);
    assert.match(await refusal({ keyFile: dir, ...none }), /regular file/);
    assert.equal(spawnSync('mkfifo', ['-m', '600', file('pipe')]).status, 0);
    assert.match(await refusal({ keyFile: file('pipe'), ...none }), /regular file/);
    assert.match(await refusal({ keyFile: file('absent'), ...none }), /does not exist/);
  });
  it('is refused when it is large, and when it holds no key', async () => {
    await writeFile(file('large'), 'x'.repeat(10_000), { mode: 0o600 });
    assert.match(await refusal({ keyFile: file('large'), ...none }), /too large/);
    await writeFile(file('empty'), '', { mode: 0o600 });
    assert.match(await refusal({ keyFile: file('empty'), ...none }), /^key-invalid: SPOON_ENCRYPTION_KEY_FILE /);
  });
  // Only root can give files away.
  if (process.getuid?.() === 0) {
    it('is refused when it belongs to somebody else', async () => {
      await writeFile(file('foreign'), key.toString('base64'), { mode: 0o600 });
      await chown(file('foreign'), 12_345, 12_345);
      assert.match(await refusal({ keyFile: file('foreign'), ...none }), /somebody else/);
    });
  }
});
