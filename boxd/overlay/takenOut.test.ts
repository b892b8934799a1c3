import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { TestBox } from '../testing/testBox.ts';

describe('a home whose dotfiles are turned off', () => {
  let box: TestBox;
  before(async () => {
    box = await TestBox.start();
  });
  after(() => box.stop());
  beforeEach(async () => {
    await box.apply([], { digest: 'empty' });
    for (const name of readdirSync(box.home)) if (name !== '.spoon') rmSync(at(name), { recursive: true });
  });
  const at = (path: string) => join(box.home, path);
  const read = (path: string) => readFileSync(at(path), 'utf8');
  /** By path what became of it. */
  const takeOut = async (): Promise<Record<string, string>> => {
    const { outcomes } = await box.apply([], { digest: 'off', restore: true });
    return Object.fromEntries(outcomes.map(({ path, result }) => [path, result]));
  };

  it('has nothing of Spoon, and what was in its way again', async () => {
    writeFileSync(at('.bashrc'), 'before\n');
    symlinkSync('elsewhere', at('.vimrc'));
    await box.apply([
      { path: '.bashrc', bytes: 'spoon\n' },
      { path: '.vimrc', bytes: 'spoon\n' },
      { path: '.config/app/a', bytes: 'spoon\n' },
    ]);
    // A second version, and a repair after a hand edit, are no other beginning.
    writeFileSync(at('.bashrc'), 'by hand\n');
    await box.apply([
      { path: '.bashrc', bytes: 'newer\n' },
      { path: '.vimrc', bytes: 'newer\n' },
      { path: '.config/app/a', bytes: 'spoon\n' },
    ]);
    assert.deepEqual(await takeOut(), { '.bashrc': 'restored', '.vimrc': 'restored', '.config/app/a': 'removed' });
    assert.equal(read('.bashrc'), 'before\n');
    assert.equal(readlinkSync(at('.vimrc')), 'elsewhere');
    assert.ok(!existsSync(at('.config')));
    assert.deepEqual(await takeOut(), {}, 'a second time there is nothing to do');
    assert.equal(read('.bashrc'), 'before\n');
  });

  it('keeps what a person changed in it, and what was there as the overlay has it', async () => {
    writeFileSync(at('.same'), 'same\n');
    writeFileSync(at('.found'), 'old\n');
    await box.apply([
      { path: '.same', bytes: 'same\n' },
      { path: '.found', bytes: 'old\n' },
      { path: '.mine', bytes: 'spoon\n' },
      { path: '.gone', bytes: 'spoon\n' },
    ]);
    await box.apply([
      { path: '.same', bytes: 'same\n' },
      { path: '.found', bytes: 'new\n' },
      { path: '.mine', bytes: 'spoon\n' },
      { path: '.gone', bytes: 'spoon\n' },
    ]);
    writeFileSync(at('.mine'), 'by hand\n');
    rmSync(at('.gone'));
    assert.deepEqual(await takeOut(), { '.same': 'kept', '.found': 'restored', '.mine': 'kept', '.gone': 'removed' });
    assert.deepEqual(['.same', '.found', '.mine'].map(read), ['same\n', 'old\n', 'by hand\n']);
    assert.ok(!existsSync(at('.gone')));
    const { outcomes } = await box.apply([{ path: '.mine', bytes: 'spoon\n' }], { digest: 'on' });
    assert.equal(outcomes[0]?.backupKind, 'edit', 'turned on again, the edit is kept aside');
    assert.deepEqual(await takeOut(), { '.mine': 'restored' });
    assert.equal(read('.mine'), 'by hand\n');
  });

  it('has the profile of every new home where the overlay had one of its own', async () => {
    await box.apply([]);
    const own = read('.bash_profile');
    await box.apply([{ path: '.bash_profile', bytes: 'mine\n' }]);
    assert.equal(read('.bash_profile'), 'mine\n');
    await takeOut();
    assert.equal(read('.bash_profile'), own);
  });

  it('believes no manifest that names something else as a backup', async () => {
    writeFileSync(at('.bashrc'), 'before\n');
    writeFileSync(at('precious'), 'precious\n');
    await box.apply([{ path: '.bashrc', bytes: 'spoon\n' }]);
    const manifest = read('.spoon/manifest.json');
    writeFileSync(
      at('.spoon/manifest.json'),
      manifest.replace(/"displaced":"[^"]*"/, '"displaced":".spoon/backup/x/../../../precious"'),
    );
    assert.deepEqual(await takeOut(), { '.bashrc': 'removed' });
    assert.equal(read('precious'), 'precious\n');
  });

  it('does without a backup that somebody has deleted', async () => {
    writeFileSync(at('.bashrc'), 'before\n');
    await box.apply([{ path: '.bashrc', bytes: 'spoon\n' }]);
    rmSync(at('.spoon/backup'), { recursive: true });
    assert.deepEqual(await takeOut(), { '.bashrc': 'removed' });
    assert.equal(lstatSync(at('.bashrc'), { throwIfNoEntry: false }), undefined);
  });
});
