import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { failureOf, GitCalls, resultOf } from '../testing/gitCalls.ts';
import { GitServer, git } from '../testing/gitServer.ts';
import { TestBox } from '../testing/testBox.ts';

/** A real boxd, a real git, a real server over TLS. */
describe('checkouts', { timeout: 300_000 }, () => {
  let server: GitServer;
  let box: TestBox;
  let calls: GitCalls;
  before(async () => {
    server = await GitServer.start();
    box = await TestBox.start({ prepare: (home) => writeFileSync(join(dirname(home), 'ca.pem'), server.ca) });
    calls = new GitCalls(box);
  });
  after(async () => {
    await box.stop();
    await server[Symbol.asyncDispose]();
  });

  const make = (url: string, folder: string, more: Record<string, unknown> = {}) =>
    calls.make(server.url(url), folder, more);
  const inBox = (folder: string, ...args: string[]) => git(join(box.home, 'Code', folder), ...args);

  it('are ordinary ones: an existing branch that follows its upstream, or a new one from the default branch', async () => {
    const work = server.repository('plain');
    git(work, 'checkout', '-q', '-b', 'feat/x');
    server.commit(work, { 'x.txt': 'x' }, 'x');
    git(work, 'push', '-q', 'origin', 'feat/x');

    const made = resultOf(await make('plain.git', 'plain/feat/x'));
    const head = (folder: string) => inBox(folder, 'rev-parse', 'HEAD');
    assert.deepEqual(made, { isNew: false, defaultBranch: 'main', commit: head('plain/feat/x'), notes: [] });
    assert.equal(inBox('plain/feat/x', 'rev-parse', '--abbrev-ref', '@{upstream}'), 'origin/feat/x');
    assert.equal(readFileSync(join(box.home, 'Code/plain/feat/x/x.txt'), 'utf8'), 'x');

    assert.deepEqual(resultOf(await make('plain.git', 'plain/fresh')), {
      isNew: true,
      defaultBranch: 'main',
      commit: head('plain/fresh'),
      notes: ['fresh is new, from main.'],
    });
    assert.equal(inBox('plain/fresh', 'rev-parse', 'HEAD'), inBox('plain/feat/x', 'rev-parse', 'origin/main'));
    assert.equal(inBox('plain/fresh', 'status', '--porcelain'), '');
    assert.equal(inBox('plain/fresh', 'remote', 'get-url', 'origin'), server.url('plain.git'));
    assert.ok(!existsSync(join(box.home, 'Code/plain/fresh/.git/objects/info/alternates')));
    inBox('plain/fresh', 'fsck', '--full', '--strict');
  });

  it('take only the branch that was meant', async () => {
    server.repository('meant');
    assert.equal(failureOf(await make('meant.git', 'meant/main', { start: 'new' })).code, 'branch-exists');
    assert.equal(failureOf(await make('meant.git', 'meant/no', { start: 'existing' })).code, 'branch-missing');
    const { code, detail } = failureOf(await make('meant.git', 'meant/x', { defaultBranch: 'gone' }));
    assert.deepEqual([code, /start from gone/.test(detail)], ['branch-missing', true]);
    assert.ok(!existsSync(join(box.home, 'Code/meant')));
  });

  it('can be of a repository without commits', async () => {
    server.repository('empty', {});
    const empty = resultOf(await make('empty.git', 'empty/main'));
    assert.deepEqual([empty.isNew, empty.commit], [true, undefined]);
    assert.equal(inBox('empty/main', 'symbolic-ref', 'HEAD'), 'refs/heads/main');
    const { state, branch, dirty, unpushed } = await calls.status('empty/main');
    assert.deepEqual({ state, branch, dirty, unpushed }, { state: 'ready', branch: 'main', dirty: 0, unpushed: 0 });
  });

  it('of one spoon share their objects and download them once', async () => {
    const big = Array.from({ length: 200 }, (_, file) => [`f${file}`, `${Math.random()}\n`.repeat(300)]);
    const work = server.repository('once', Object.fromEntries(big));
    for (const name of ['two', 'three']) git(work, 'push', '-q', 'origin', `main:${name}`);
    const first = server.sentBytes;
    resultOf(await make('once.git', 'once/main'));
    const full = server.sentBytes - first;
    const second = server.sentBytes;
    const both = await Promise.all([make('once.git', 'once/two'), make('once.git', 'once/three')]);
    for (const state of both) resultOf(state);
    const again = server.sentBytes - second;
    assert.ok(again < full / 10, `${again} bytes for two more, ${full} for the first`);
    rmSync(join(box.home, 'Code/once/main'), { recursive: true });
    for (const folder of ['once/two', 'once/three']) {
      inBox(folder, 'fsck', '--full');
      assert.equal(inBox(folder, 'status', '--porcelain'), '');
    }
  });

  it('do not take branches and tags along that only another checkout has', async () => {
    server.repository('own');
    resultOf(await make('own.git', 'own/main'));
    inBox('own/main', 'branch', 'private');
    inBox('own/main', 'tag', 'mine');
    resultOf(await make('own.git', 'own/other'));
    assert.deepEqual(inBox('own/other', 'for-each-ref', '--format=%(refname)').split('\n'), [
      'refs/heads/other',
      'refs/remotes/origin/HEAD',
      'refs/remotes/origin/main',
    ]);
  });

  describe('never take the place of something else (row 89)', () => {
    const inTheWay: [what: string, put: (path: string) => void, code: string, words: RegExp][] = [
      ['a file', (path) => writeFileSync(path, 'mine'), 'checkout-in-the-way', /is a file/],
      ['a symbolic link', (path) => symlinkSync('/etc', path), 'checkout-in-the-way', /symbolic link to \/etc/],
      ['a dangling link', (path) => symlinkSync('nowhere', path), 'checkout-in-the-way', /symbolic link/],
      [
        'a folder with files',
        (path) => {
          mkdirSync(path);
          writeFileSync(join(path, 'notes.txt'), 'mine');
        },
        'checkout-in-the-way',
        /holds notes\.txt/,
      ],
      [
        'another repository',
        (path) => {
          mkdirSync(path);
          git(path, 'init', '-q');
        },
        'checkout-in-the-way',
        /another repository/,
      ],
      [
        'a checkout of another branch',
        (path) => {
          git(dirname(path), 'clone', '-q', join(server.folder, 'repos/way.git'), path);
          git(path, 'remote', 'set-url', 'origin', server.url('way'));
          git(path, 'checkout', '-q', '-b', 'elsewhere');
        },
        'checkout-in-the-way',
        /checkout of elsewhere/,
      ],
      [
        'a dirty checkout',
        (path) => {
          git(dirname(path), 'clone', '-q', join(server.folder, 'repos/way.git'), path);
          git(path, 'remote', 'set-url', 'origin', server.url('way.git'));
          writeFileSync(join(path, 'README.md'), 'changed');
        },
        'checkout-dirty',
        /Code\/way\/main/,
      ],
    ];
    before(() => {
      server.repository('way');
      mkdirSync(join(box.home, 'Code/way'), { recursive: true });
    });
    for (const [what, put, code, words] of inTheWay) {
      it(what, async () => {
        const path = join(box.home, 'Code/way/main');
        put(path);
        const before = snapshot(join(box.home, 'Code/way'));
        const failure = failureOf(await make('way.git', 'way/main'));
        assert.equal(failure.code, code);
        assert.match(failure.detail, words);
        assert.deepEqual(snapshot(join(box.home, 'Code/way')), before);
        rmSync(path, { recursive: true, force: true });
      });
    }

    it('but take an empty folder, and a clean checkout of that very branch', async () => {
      mkdirSync(join(box.home, 'Code/way/main'), { recursive: true });
      assert.equal(resultOf(await make('way.git', 'way/main')).isNew, false);
      assert.deepEqual(resultOf(await make('way.git', 'way/main')).notes, ['The checkout was there already.']);
    });

    it('nor nest in another checkout, nor around one (decision 14)', async () => {
      const inside = failureOf(await make('way.git', 'way/main/x'));
      assert.equal(inside.code, 'checkout-in-the-way');
      assert.match(inside.detail, /~\/Code\/way\/main is a checkout/);
      resultOf(await make('way.git', 'way/a/b'));
      const around = failureOf(await make('way.git', 'way/a'));
      assert.equal(around.code, 'checkout-in-the-way');
      assert.match(around.detail, /holds b/);
    });

    it('nor leave the home by a link', async () => {
      mkdirSync(join(box.folder, 'outside'));
      symlinkSync(join(box.folder, 'outside'), join(box.home, 'Code/evil'));
      assert.equal(failureOf(await make('way.git', 'evil/main')).code, 'path-through-symlink');
      git(box.folder, 'clone', '-q', join(server.folder, 'repos/way.git'), 'outside/main');
      assert.equal(failureOf(await make('way.git', 'evil/main', { again: true })).code, 'path-through-symlink');
      assert.equal(failureOf(await calls.run('remove', { folder: 'Code/evil/main' })).code, 'path-through-symlink');
      assert.equal((await calls.status('evil/main')).state, 'broken');
      assert.ok(existsSync(join(box.folder, 'outside/main/README.md')));
    });
  });
});

/** Every file and link below a folder, with what is in it. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      if (entry.isSymbolicLink()) return `${path} -> ${readlinkSync(path)}`;
      // git writes this one to look at a tree.
      return entry.isFile() && entry.name !== 'index' ? `${path}: ${readFileSync(path, 'latin1')}` : path;
    })
    .sort();
}
