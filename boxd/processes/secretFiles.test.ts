import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { JsonFields } from '../http/jsonFields.ts';
import { SecretFiles } from './secretFiles.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('secrets as files', () => {
  it('are in memory, for their user alone, replaced whole, and gone with boxd', () => {
    const files = new SecretFiles();
    const read = (secretFiles: Record<string, string>) =>
      files.read(new JsonFields({ environment: { PLAIN: 'plain' }, secretFiles }));
    const { environment, values, notes } = read({ KEY: base64('one') });
    const path = environment.KEY ?? '';
    assert.match(path, /^\/dev\/shm\/spoon-secrets-[^/]+\/KEY$/);
    assert.deepEqual([environment.PLAIN, values, notes], ['plain', ['plain', 'one'], []]);
    assert.deepEqual([statSync(path).mode & 0o777, statSync(dirname(path)).mode & 0o777], [0o600, 0o700]);
    assert.equal(read({ KEY: base64('two') }).environment.KEY, path);
    assert.equal(readFileSync(path, 'utf8'), 'two');
    files.close();
    assert.ok(!existsSync(dirname(path)));
  });

  it('are left out and said where there is no place in memory', () => {
    const { environment, notes } = new SecretFiles('/proc').read(
      new JsonFields({ environment: {}, secretFiles: { KEY: base64('x') } }),
    );
    assert.deepEqual(environment, {});
    assert.match(String(notes), /^The secret KEY is left out: .*not in memory/);
  });

  it('are none for a service that says nothing of them', () => {
    assert.deepEqual(new SecretFiles().read(new JsonFields({})), { environment: {}, values: [], notes: [] });
  });
});
