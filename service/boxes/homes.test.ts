import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { ensureHome, refuseSecondHome } from './homes.ts';

const code = (expected: string) => (error: unknown) => error instanceof SpoonError && error.code === expected;
const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const ada = { username: 'ada', ...self };

describe('ensureHome', () => {
  let homes: string;
  beforeEach(async () => {
    homes = join(await mkdtemp(join(tmpdir(), 'spoon-homes-')), 'homes');
  });
  afterEach(() => rm(join(homes, '..'), { recursive: true }));

  it('makes a home that only its user can enter, in a folder that nobody can list', async () => {
    const path = await ensureHome(homes, ada);
    assert.equal(path, join(homes, 'ada'));
    assert.equal((await stat(path)).mode & 0o7777, 0o700);
    assert.equal((await stat(homes)).mode & 0o7777, 0o711);
    assert.deepEqual(await readdir(homes), ['ada']);
  });

  it('keeps what is in a home, and closes one that was opened to others', async () => {
    const path = await ensureHome(homes, ada);
    await writeFile(join(path, 'kept'), '');
    await chmod(path, 0o755);
    await ensureHome(homes, ada);
    assert.equal((await stat(path)).mode & 0o7777, 0o700);
    assert.deepEqual(await readdir(path), ['kept']);
  });

  it('opens a home that its user has closed to everybody', async () => {
    const path = await ensureHome(homes, ada);
    await chmod(path, 0);
    await ensureHome(homes, ada);
    assert.equal((await stat(path)).mode & 0o7777, 0o700);
  });

  it('refuses a home of another owner and leaves it as it is', async () => {
    const path = await ensureHome(homes, ada);
    await chmod(path, 0o750);
    await assert.rejects(ensureHome(homes, { ...ada, uid: self.uid + 1 }), (error) => {
      assert.ok(code('home-untrusted')(error));
      assert.match(String(error), /homes\/ada belongs to/);
      assert.ok(!String(error).includes(homes), 'the user who reads it learns no path of the host');
      return true;
    });
    assert.equal((await stat(path)).mode & 0o7777, 0o750);
  });

  it('refuses a link and a file in the place of a home', async () => {
    await mkdir(homes);
    await symlink('/', join(homes, 'ada'));
    await assert.rejects(ensureHome(homes, ada), code('home-untrusted'));
    await writeFile(join(homes, 'grace'), '');
    await assert.rejects(ensureHome(homes, { ...ada, username: 'grace' }), code('home-untrusted'));
  });

  it('knows whether somebody else has a home', async () => {
    await refuseSecondHome(homes, 'ada');
    await ensureHome(homes, ada);
    await refuseSecondHome(homes, 'ada');
    await assert.rejects(refuseSecondHome(homes, 'grace'), code('single-user-only'));
  });
});
