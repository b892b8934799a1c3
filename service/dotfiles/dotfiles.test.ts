import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keptVersions, keptVersionsMs, maxDotfilesPerUser } from '../../protocol/limits.ts';
import type { ReadDotfile } from './readDotfile.ts';
import { at, saveOf, TestUsers } from './testUsers.fixture.ts';

const text = ({ bytes }: ReadDotfile) => Buffer.from(bytes).toString();

async function pathsOf({ dotfiles }: TestUsers, userId = 'ada'): Promise<string[]> {
  return (await dotfiles.list(userId)).dotfiles.map(({ path }) => path);
}

/** Saves over whatever is there, as one who has just read it. */
async function replace(users: TestUsers, path: string, content: string): Promise<string> {
  const before = await users.dotfiles.read('ada', at(path)).catch(() => undefined);
  const { dotfile } = await users.dotfiles.save('ada', saveOf(path, content, { ifMatch: before?.etag }));
  return dotfile.etag;
}

describe('save and read', () => {
  it('gives back any bytes exactly, also after a restart (row 31)', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), fc.uuid(), async (bytes, name) => {
        await users.dotfiles.save('ada', saveOf(`any/${name}`, bytes));
        const read = await users.reopen().read('ada', at(`any/${name}`));
        assert.deepEqual(Buffer.from(read.bytes), Buffer.from(bytes));
      }),
      { numRuns: 30 },
    );
    for (const odd of ['', '\ufeffbom', 'crlf\r\n', 'no newline', '\0\0']) {
      await users.dotfiles.save('ada', saveOf(`odd/${odd.length}${odd.charCodeAt(0)}`, odd));
      assert.equal(text(await users.dotfiles.read('ada', at(`odd/${odd.length}${odd.charCodeAt(0)}`))), odd);
    }
  });

  it('says the same about a file in a save, a list and a read', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const { dotfile, changed } = await users.dotfiles.save('ada', saveOf('.bashrc', '# hi'));
    assert.equal(changed, true);
    assert.match(dotfile.etag, /^"v1-[0-9a-f]{8}"$/);
    assert.deepEqual((await users.reopen().list('ada')).dotfiles, [dotfile]);
    const { bytes, ...facts } = await users.dotfiles.read('ada', at('.bashrc'));
    const { kind, mode, version, etag, modifiedMs } = dotfile;
    assert.deepEqual(facts, { kind, mode, version, etag, modifiedMs });
    assert.equal(dotfile.size, bytes.length);
    assert.equal(dotfile.createdMs, users.nowMs);
  });

  it('gives a mode that people expect, keeps it, and takes a given one', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const modeAfter = async (path: string, content: string, mode?: number, ifMatch?: string) =>
      (await users.dotfiles.save('ada', saveOf(path, content, { mode, ifMatch }))).dotfile;
    assert.equal((await modeAfter('.bashrc', 'x')).mode, 0o644);
    assert.equal((await modeAfter('.ssh/config', 'x')).mode, 0o600);
    const script = await modeAfter('bin/run', '#!/bin/sh');
    assert.equal(script.mode, 0o755);
    const changed = await modeAfter('bin/run', '#!/bin/sh', 0o700, script.etag);
    assert.equal(changed.mode, 0o700);
    assert.equal(changed.version, 2, 'another mode is another version');
    assert.equal((await modeAfter('bin/run', 'no shebang now', undefined, changed.etag)).mode, 0o700);
    await assert.rejects(modeAfter('.bashrc', 'x', 0o4755), { code: 'mode-invalid' });
    await assert.rejects(modeAfter('.bashrc', 'x', 0o200), { code: 'mode-invalid' });
  });

  it('keeps symbolic links and folders', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const link = await users.dotfiles.save(
      'ada',
      saveOf('.vimrc', '.config/vim/vimrc', { kind: 'symlink', mode: 0o600 }),
    );
    assert.equal(link.dotfile.mode, 0o777);
    const folder = await users.dotfiles.save('ada', saveOf('.ssh', '', { kind: 'directory' }));
    assert.equal(folder.dotfile.mode, 0o700);
    await users.dotfiles.save('ada', saveOf('.ssh/config', 'x'));
    assert.equal(text(await users.dotfiles.read('ada', at('.vimrc'))), '.config/vim/vimrc');
    const kinds = (await users.reopen().list('ada')).dotfiles.map(({ path, kind }) => `${path} ${kind}`);
    assert.deepEqual(kinds, ['.ssh directory', '.ssh/config file', '.vimrc symlink']);
    const file = await users.dotfiles.save('ada', saveOf('.vimrc', 'set ai', { ifMatch: link.dotfile.etag }));
    assert.deepEqual([file.dotfile.kind, file.dotfile.mode, file.dotfile.version], ['file', 0o644, 2]);
  });

  it('makes no version of what is the same already', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const first = await users.dotfiles.save('ada', saveOf('a', 'same'));
    users.nowMs += 1_000;
    const again = await users.dotfiles.save('ada', saveOf('a', 'same', { ifMatch: first.dotfile.etag }));
    assert.deepEqual(again, { ...first, changed: false });
    assert.equal((await users.dotfiles.history('ada', { path: at('a') })).versions.length, 1);
  });

  it('asks for the version that a change is based on, and says which one is there', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const { dotfile } = await users.dotfiles.save('ada', saveOf('a', '1'));
    await assert.rejects(users.dotfiles.save('ada', saveOf('a', '2')), {
      code: 'version-required',
      extra: { etag: dotfile.etag },
    });
    const second = await users.dotfiles.save('ada', saveOf('a', '2', { ifMatch: dotfile.etag }));
    await assert.rejects(users.dotfiles.save('ada', saveOf('a', '3', { ifMatch: dotfile.etag })), {
      code: 'version-stale',
      extra: { etag: second.dotfile.etag },
    });
    await assert.rejects(users.dotfiles.save('ada', saveOf('a', '3', { ifNoneMatch: '*' })), { code: 'file-exists' });
    assert.equal(text(await users.dotfiles.read('ada', at('a'))), '2');
  });

  it('does not take a file that was made anew for the one that was there', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const { dotfile } = await users.dotfiles.save('ada', saveOf('a', 'same'));
    await users.dotfiles.remove('ada', at('a'));
    const again = await users.dotfiles.save('ada', saveOf('a', 'same'));
    assert.equal(again.dotfile.version, dotfile.version);
    assert.notEqual(again.dotfile.etag, dotfile.etag);
  });

  it('counts time upward for each file, also when the clock goes back (R13)', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const first = await replace(users, 'a', '1').then(() => users.dotfiles.read('ada', at('a')));
    users.nowMs -= 365 * 24 * 3_600_000;
    await replace(users, 'a', '2');
    const second = await users.dotfiles.read('ada', at('a'));
    assert.equal(second.modifiedMs, first.modifiedMs + 1);
  });

  it('refuses a file below a file, and a folder in its place', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    await users.dotfiles.save('ada', saveOf('a', 'x'));
    await assert.rejects(users.dotfiles.save('ada', saveOf('a/b', 'x')), { code: 'path-kind-conflict' });
    await users.dotfiles.save('ada', saveOf('c/d', 'x'));
    await assert.rejects(users.dotfiles.save('ada', saveOf('c', 'x')), { code: 'path-kind-conflict' });
    assert.deepEqual((await users.dotfiles.save('ada', saveOf('A', 'x'))).warnings, ['case-collision']);
  });

  it('holds as many as a user may have, and no more', async (t) => {
    const users = await TestUsers.open(t, 'ada', 'bob');
    await users.dotfiles.save('ada', saveOf('first', 'x'));
    const row = await users.store.db.selectFrom('dotfiles').selectAll().executeTakeFirstOrThrow();
    await users.store.transaction(async (trx) => {
      for (let index = 1; index < maxDotfilesPerUser; index++) {
        const path_mac = Buffer.from(String(index).padStart(32));
        await trx
          .insertInto('dotfiles')
          .values({ ...row, id: `filler-${index}`, path_mac })
          .execute();
      }
    });
    users.reopen();
    await assert.rejects(users.dotfiles.save('ada', saveOf('one more', 'x')), { code: 'dotfile-limit' });
    const { etag } = await users.dotfiles.read('ada', at('first'));
    await users.dotfiles.save('ada', saveOf('first', 'y', { ifMatch: etag }));
    await users.dotfiles.save('bob', saveOf('his first', 'x'));
  });

  it('ends at the count and the size that an operator has set, and what has become smaller is saved all the same', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const { dotfile: large } = await users.dotfiles.save('ada', saveOf('large', 'x'.repeat(3 * 2 ** 20)));
    await users.dotfiles.save('ada', saveOf('small', 'x'));

    users.limits = { dotfiles: 2, dotfileBytes: 2 ** 20 };
    const more = users.dotfiles.save('ada', saveOf('more', ''));
    await assert.rejects(more, { code: 'dotfile-limit', detail: /^At most 2\..*ask your administrator/ });
    users.limits = { dotfiles: 3, dotfileBytes: 2 ** 20 };
    const larger = users.dotfiles.save('ada', saveOf('more', 'y'));
    await assert.rejects(larger, { code: 'dotfiles-too-large', detail: /^At most 1 MiB\..*ask your administrator/ });
    await users.dotfiles.save('ada', saveOf('more', ''));

    await users.dotfiles.save('ada', saveOf('large', 'x'.repeat(2 * 2 ** 20), { ifMatch: large.etag }));
    await users.reopen().remove('ada', at('large'));
    await users.dotfiles.save('ada', saveOf('other', 'y'.repeat(2 ** 20 - 1)));
    const { etag } = await users.dotfiles.read('ada', at('small'));
    const byOne = users.dotfiles.save('ada', saveOf('small', 'xx', { ifMatch: etag }));
    await assert.rejects(byOne, { code: 'dotfiles-too-large' });
  });
});

describe('users', () => {
  it('do not see each other: the same path is another file (row 53)', async (t) => {
    const users = await TestUsers.open(t, 'ada', 'bob');
    await users.dotfiles.save('ada', saveOf('.bashrc', 'of ada'));
    await assert.rejects(users.dotfiles.read('bob', at('.bashrc')), { code: 'not-found' });
    await assert.rejects(users.dotfiles.history('bob', { path: at('.bashrc') }), { code: 'not-found' });
    await assert.rejects(users.dotfiles.remove('bob', at('.bashrc')), { code: 'not-found' });
    await assert.rejects(users.dotfiles.move('bob', { from: at('.bashrc'), to: at('x'), overwrite: true }), {
      code: 'not-found',
    });
    await users.dotfiles.save('bob', saveOf('.bashrc', 'of bob'));
    assert.equal(text(await users.dotfiles.read('ada', at('.bashrc'))), 'of ada');
    assert.equal((await users.dotfiles.list('bob')).dotfiles.length, 1);
  });
});

describe('versions', () => {
  it('can be listed, newest first, and read', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    for (const content of ['one', 'two', 'three']) await replace(users, 'a', content);
    const { versions } = await users.dotfiles.history('ada', { path: at('a') });
    assert.deepEqual(
      versions.map(({ version, current, size, origin }) => [version, current, size, origin]),
      [
        [3, true, 5, 'api'],
        [2, false, 3, 'api'],
        [1, false, 3, 'api'],
      ],
    );
    assert.equal(text(await users.dotfiles.read('ada', at('a'), 1)), 'one');
    await assert.rejects(users.dotfiles.read('ada', at('a'), 4), { code: 'not-found' });
  });

  it(`beyond the newest ${keptVersions} are forgotten`, async (t) => {
    const users = await TestUsers.open(t, 'ada');
    for (let index = 1; index <= keptVersions + 5; index++) await replace(users, 'a', String(index));
    const numbers = (await users.dotfiles.history('ada', { path: at('a') })).versions.map(({ version }) => version);
    assert.deepEqual(
      numbers,
      Array.from({ length: keptVersions }, (_, index) => keptVersions + 5 - index),
    );
    await assert.rejects(users.dotfiles.read('ada', at('a'), 5), { code: 'not-found' });
  });

  it('replaced more than 90 days ago are forgotten, but never what was in force until just now', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    await replace(users, 'a', 'old');
    await replace(users, 'a', 'in force for a year');
    users.nowMs += 365 * 24 * 3_600_000;
    await replace(users, 'a', 'a mistake');
    const numbers = async () =>
      (await users.dotfiles.history('ada', { path: at('a') })).versions.map(({ version }) => version);
    assert.deepEqual(await numbers(), [3, 2]);
    assert.equal(text(await users.dotfiles.read('ada', at('a'), 2)), 'in force for a year');
    users.nowMs += keptVersionsMs + 1;
    await replace(users, 'a', 'much later');
    assert.deepEqual(await numbers(), [4, 3]);
  });

  it('of a hand edit are kept without becoming current (decision 5)', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const etag = await replace(users, 'a', 'saved');
    const drift = await users.dotfiles.keepDrift('ada', { path: at('a'), bytes: Buffer.from('by hand'), mode: 0o4755 });
    assert.deepEqual([drift.version, drift.origin, drift.mode, drift.current], [2, 'drift', 0o755, false]);
    const again = await users.dotfiles.keepDrift('ada', { path: at('a'), bytes: Buffer.from('by hand'), mode: 0o755 });
    assert.equal(again.version, 2, 'the same edit is kept once');
    const read = await users.reopen().read('ada', at('a'));
    assert.deepEqual([text(read), read.etag], ['saved', etag]);
    assert.equal(text(await users.dotfiles.read('ada', at('a'), 2)), 'by hand');
    const { dotfile } = await users.dotfiles.save('ada', saveOf('a', 'next', { ifMatch: etag }));
    assert.equal(dotfile.version, 3);
    await assert.rejects(users.dotfiles.keepDrift('ada', { path: at('absent'), bytes: Buffer.of(), mode: 0o644 }), {
      code: 'not-found',
    });
  });

  it('are kept however many hand edits come: the current one never goes', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    await replace(users, 'a', 'current');
    for (let index = 0; index < keptVersions + 3; index++) {
      await users.dotfiles.keepDrift('ada', { path: at('a'), bytes: Buffer.from(String(index)), mode: 0o644 });
    }
    assert.equal(text(await users.reopen().read('ada', at('a'))), 'current');
    assert.equal((await users.dotfiles.history('ada', { path: at('a') })).versions.length, keptVersions + 1);
  });
});

describe('remove', () => {
  it('takes a file, or a folder with all below it, and keeps their versions', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    for (const path of ['a', 'f/b', 'f/g/c', 'fx']) await users.dotfiles.save('ada', saveOf(path, path));
    const remove = async (path: string, recursive = false) =>
      (await users.dotfiles.remove('ada', at(path), { recursive })).removed.map((gone) => gone.path);
    assert.deepEqual(await remove('a'), ['a']);
    await assert.rejects(users.dotfiles.remove('ada', at('f')), { code: 'path-kind-conflict' });
    assert.deepEqual(await remove('f', true), ['f/b', 'f/g/c']);
    assert.deepEqual(await pathsOf(users), ['fx']);
    users.reopen();
    assert.deepEqual(await pathsOf(users), ['fx']);
    await assert.rejects(users.dotfiles.read('ada', at('a')), { code: 'not-found' });
    await assert.rejects(users.dotfiles.remove('ada', at('a')), { code: 'not-found' });
    const kept = await users.store.db.selectFrom('dotfile_versions').select('dotfile_id').execute();
    assert.equal(kept.length, 4);
  });

  it('heeds If-Match when one is given', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    const etag = await replace(users, 'a', '1');
    await replace(users, 'a', '2');
    await assert.rejects(users.dotfiles.remove('ada', at('a'), { ifMatch: etag }), { code: 'version-stale' });
    await users.dotfiles.remove('ada', at('a'), { ifMatch: '*' });
  });

  it('is for good after 90 days', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    await replace(users, 'a', '1');
    await replace(users, 'b', '1');
    await users.dotfiles.remove('ada', at('a'));
    users.nowMs += keptVersionsMs + 1;
    await users.dotfiles.remove('ada', at('b'));
    assert.equal((await users.store.db.selectFrom('dotfiles').select('id').execute()).length, 1);
    assert.equal((await users.store.db.selectFrom('dotfile_versions').select('version').execute()).length, 1);
  });
});

describe('move', () => {
  it('renames a folder without touching contents, versions or etags (decision 7)', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    await replace(users, '.config/a', 'first');
    const etag = await replace(users, '.config/a', 'second');
    await replace(users, '.config/deep/b', 'b');
    const blobs = () => users.store.db.selectFrom('dotfile_versions').select('blob').orderBy('dotfile_id').execute();
    const before = await blobs();
    users.nowMs += 1_000;
    const { moved, replaced } = await users.dotfiles.move('ada', {
      from: at('.config'),
      to: at('.conf'),
      overwrite: false,
    });
    assert.deepEqual(
      moved.map(({ from, dotfile }) => `${from} > ${dotfile.path}`),
      ['.config/a > .conf/a', '.config/deep/b > .conf/deep/b'],
    );
    assert.deepEqual(replaced, []);
    assert.deepEqual(await blobs(), before);
    users.reopen();
    assert.deepEqual(await pathsOf(users), ['.conf/a', '.conf/deep/b']);
    const read = await users.dotfiles.read('ada', at('.conf/a'));
    assert.deepEqual([text(read), read.etag], ['second', etag]);
    assert.equal(text(await users.dotfiles.read('ada', at('.conf/a'), 1)), 'first');
    await assert.rejects(users.dotfiles.read('ada', at('.config/a')), { code: 'not-found' });
    await users.dotfiles.save('ada', saveOf('.config/a', 'a new one'));
  });

  it('replaces what is there only when asked to', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    await replace(users, 'a', 'a');
    await replace(users, 'b', 'b');
    const move = (overwrite: boolean) => users.dotfiles.move('ada', { from: at('a'), to: at('b'), overwrite });
    await assert.rejects(move(false), { code: 'file-exists' });
    assert.deepEqual((await move(true)).replaced, ['b']);
    assert.deepEqual(await pathsOf(users), ['b']);
    assert.equal(text(await users.reopen().read('ada', at('b'))), 'a');
  });
});

describe('overlay', () => {
  it('lists what a home should hold, with a digest that changes when and only when that does', async (t) => {
    const users = await TestUsers.open(t, 'ada', 'bob');
    const seen = new Set<string>();
    const digest = async () => (await users.dotfiles.overlay('ada')).digest;
    const isNew = async () => {
      const value = await digest();
      assert.equal(value, (await users.reopen().overlay('ada')).digest, 'the same after a restart');
      const fresh = !seen.has(value);
      seen.add(value);
      return fresh;
    };
    assert(await isNew());
    const { dotfile } = await users.dotfiles.save('ada', saveOf('a', 'x'));
    assert(await isNew());
    await users.dotfiles.save('ada', saveOf('a', 'x', { ifMatch: dotfile.etag }));
    assert(!(await isNew()));
    const second = await users.dotfiles.save('ada', saveOf('a', 'x', { ifMatch: dotfile.etag, mode: 0o600 }));
    assert(await isNew());
    await users.dotfiles.keepDrift('ada', { path: at('a'), bytes: Buffer.from('drift'), mode: 0o644 });
    assert(!(await isNew()));
    await users.dotfiles.move('ada', { from: at('a'), to: at('b'), overwrite: false });
    assert(await isNew());
    await users.dotfiles.move('ada', { from: at('b'), to: at('a'), overwrite: false });
    assert(!(await isNew()));
    await users.dotfiles.save('ada', saveOf('a', 'y', { ifMatch: second.dotfile.etag }));
    assert(await isNew());
    const { entries } = await users.dotfiles.overlay('ada');
    assert.equal(entries.length, 1);
    assert.match(entries[0]?.content ?? '', /^[0-9a-f]{64}$/);
    await users.dotfiles.save('bob', saveOf('a', 'y', { mode: 0o600 }));
    const ofBob = await users.dotfiles.overlay('bob');
    assert.notEqual(ofBob.entries[0]?.content, entries[0]?.content, 'equal bytes of two users have nothing in common');
  });

  it('comes with the bytes of the paths that are asked for, without those that are gone', async (t) => {
    const users = await TestUsers.open(t, 'ada');
    for (const path of ['a', 'b', 'c']) await users.dotfiles.save('ada', saveOf(path, `of ${path}`));
    const got: string[] = [];
    for await (const { path, bytes } of users.dotfiles.contents('ada', ['c', 'gone', 'a'].map(at))) {
      got.push(`${path}: ${Buffer.from(bytes)}`);
    }
    assert.deepEqual(got, ['c: of c', 'a: of a']);
  });
});
