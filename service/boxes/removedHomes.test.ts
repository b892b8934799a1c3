import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { LocalEngine } from './localEngine.fixture.ts';
import { type EraseParts, eraseRemovedHomes, setFormerHomesAside, setHomeAside } from './removedHomes.ts';

describe('the home of a user who was removed', () => {
  let homesDir: string;
  before(async () => {
    homesDir = await mkdtemp(join(tmpdir(), 'spoon-removed-'));
    for (const name of ['ada', 'bo']) {
      await mkdir(join(homesDir, name));
      await writeFile(join(homesDir, name, '.bashrc'), name);
    }
  });
  after(() => rm(homesDir, { recursive: true, force: true }));
  const reports: unknown[] = [];
  const report = (problem: unknown) => reports.push(problem);
  const partsWith = (engine: LocalEngine): EraseParts => ({
    engine,
    homesDir,
    boxdDir: '',
    image: '',
    ownerOf: (uid) => ({ uid, gid: uid }),
    report,
  });

  it('is out of the way at once, and waits for an engine that is away', async () => {
    await setHomeAside(homesDir, { username: 'ada', uid: 100_001 });
    await setHomeAside(homesDir, { username: 'never-started', uid: 100_009 });
    await mkdir(join(homesDir, '.scratch-100001'));
    // Beside one that is not empty yet.
    await setHomeAside(homesDir, { username: '.scratch-100001', uid: 100_001 });
    const aside = (await readdir(homesDir)).filter((name) => /^\.removed-100001-[0-9a-f-]{36}$/.test(name));
    assert.deepEqual([aside.length, (await readdir(homesDir)).length], [2, 3]);
    const away = new LocalEngine();
    away.eraseHome = async () => {
      throw new SpoonError('engine-unavailable');
    };
    assert.equal(await eraseRemovedHomes(partsWith(away)), false);
    assert.equal(reports.length, 2);
    const kept = await Promise.all(aside.map((name) => readdir(join(homesDir, name))));
    assert.deepEqual(kept.flat(), ['.bashrc']);
  });

  it('is emptied by its own uid later, and no other home is touched', async () => {
    const engine = new LocalEngine();
    const erased: unknown[] = [];
    const erase = engine.eraseHome.bind(engine);
    engine.eraseHome = async (home: { path: string; uid?: number }) => {
      erased.push(home.uid);
      await erase(home);
    };
    assert.equal(await eraseRemovedHomes(partsWith(engine)), true);
    assert.deepEqual(erased, [100_001, 100_001]);
    assert.deepEqual(await readdir(homesDir), ['bo']);
    assert.deepEqual(await readdir(join(homesDir, 'bo')), ['.bashrc']);
  });

  it('is set aside at the next start where a crash came between, and no home of another owner', async () => {
    reports.length = 0;
    for (const name of ['eve', 'mallory']) await mkdir(join(homesDir, name));
    await writeFile(join(homesDir, 'eve', '.bashrc'), 'eve');
    const { uid } = await stat(join(homesDir, 'eve'));
    await setFormerHomesAside(homesDir, ['ada', 'eve', 'never-started'], {
      isUserUid: (found) => found === uid,
      report,
    });
    const [aside, ...others] = (await readdir(homesDir)).sort();
    assert.match(aside ?? '', new RegExp(`^\\.removed-${uid}-`));
    assert.deepEqual(others, ['bo', 'mallory']);
    assert.equal(await eraseRemovedHomes(partsWith(new LocalEngine())), true);
    assert.deepEqual(reports, []);
    await setFormerHomesAside(homesDir, ['mallory'], { isUserUid: () => false, report });
    assert.deepEqual([(await readdir(homesDir)).sort(), reports.length], [['bo', 'mallory'], 1]);
  });

  it('that is no folder, as somebody put it there by hand, is left and reported', async () => {
    reports.length = 0;
    await symlink('/etc', join(homesDir, '.removed-7'));
    assert.equal(await eraseRemovedHomes(partsWith(new LocalEngine())), false);
    assert.equal(reports.length, 1);
    assert.ok((await readdir('/etc')).includes('passwd'));
  });
});
