import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { OverlayOutcome } from '../../protocol/boxd.ts';
import { entryOf, TestBox, type TestFile } from '../testing/testBox.ts';
import { testUid } from '../testing/testUid.ts';

describe('the overlay in a home', () => {
  let box: TestBox;
  const at = (path: string) => join(box.home, path);
  const read = (path: string) => readFileSync(at(path), 'utf8');
  const modeOf = (path: string) => lstatSync(at(path)).mode & 0o777;
  const outside = () => join(box.folder, 'outside');
  before(async () => {
    box = await TestBox.start(testUid === undefined ? {} : { uid: testUid });
    mkdirSync(outside());
    if (testUid !== undefined) chmodSync(outside(), 0o777);
    writeFileSync(join(outside(), 'canary'), 'untouched');
    if (testUid !== undefined) execFileSync('chown', ['-R', String(testUid), outside()]);
  });
  after(() => box.stop());
  beforeEach(async () => {
    await box.apply([], { digest: 'empty' });
    for (const name of readdirSync(box.home)) if (name !== '.spoon') rmSync(at(name), { recursive: true });
  });

  /** As the person would: files in the home belong to boxd's uid. */
  function asUser(script: string): void {
    const [program, ...args] =
      testUid === undefined ? ['sh'] : ['setpriv', `--reuid=${testUid}`, `--regid=${testUid}`, '--clear-groups', 'sh'];
    execFileSync(program ?? 'sh', [...args, '-c', script], { cwd: box.home });
  }
  async function applyOne(file: TestFile): Promise<OverlayOutcome> {
    const { outcomes } = await box.apply([file]);
    const outcome = outcomes.find(({ path }) => path === file.path);
    assert.ok(outcome !== undefined);
    return outcome;
  }
  const check = async (digest: string) => (await box.request('POST', '/v1/overlay/check', { digest })).json().upToDate;
  const plan = async (files: readonly TestFile[]) =>
    (await box.request('POST', '/v1/overlay/plan', { digest: 'x', entries: files.map(entryOf) })).json().needed;

  it('writes files, links and folders with their bytes and modes', async () => {
    const binary = randomBytes(100_000);
    await box.apply([
      { path: '.bashrc', bytes: 'a\r\n\ufeffb' },
      { path: 'bin/tool', bytes: binary, mode: 0o755 },
      { path: 'empty', bytes: '', mode: 0o600 },
      { path: '.ssh/config', bytes: 'x', mode: 0o600 },
      { path: 'read-only', bytes: 'x', mode: 0o444 },
      { path: 'shared', bytes: 'x', mode: 0o666 },
      { path: '.vimrc', kind: 'symlink', bytes: '.config/vimrc' },
      { path: 'kept', kind: 'directory', mode: 0o500 },
      { path: 'kept/inside', bytes: 'x' },
    ]);
    assert.equal(read('.bashrc'), 'a\r\n\ufeffb');
    assert.ok(readFileSync(at('bin/tool')).equals(binary));
    assert.deepEqual(
      ['bin/tool', 'empty', '.ssh', '.ssh/config', 'read-only', 'shared', 'bin', 'kept', 'kept/inside', '.spoon'].map(
        modeOf,
      ),
      [0o755, 0o600, 0o700, 0o600, 0o444, 0o666, 0o755, 0o500, 0o644, 0o700],
    );
    assert.equal(readlinkSync(at('.vimrc')), '.config/vimrc');
    assert.equal(await check('d1'), true);
    chmodSync(at('kept'), 0o700);
    assert.equal(await check('d1'), false);
  });

  it('needs no bytes for what it has, and only those that it lacks', async () => {
    const files = [
      { path: 'a', bytes: 'one', content: 'c1' },
      { path: 'b/c', bytes: 'two', content: 'c2' },
    ];
    assert.deepEqual(await plan(files), ['a', 'b/c']);
    assert.deepEqual(
      (await box.apply(files)).outcomes.map(({ result }) => result),
      ['written', 'written'],
    );
    assert.deepEqual(await plan(files), []);
    const withoutBytes = files.map(({ path, content }) => ({ path, content, size: 3 }));
    assert.deepEqual(
      (await box.apply(withoutBytes)).outcomes.map(({ result }) => result),
      ['unchanged', 'unchanged'],
    );
    asUser('touch a; printf "TWO" > b/c');
    assert.equal(await check('d1'), false);
    assert.deepEqual(await plan(files), ['b/c']);
    const { outcomes } = await box.apply(withoutBytes);
    assert.deepEqual(
      outcomes.map(({ result, code }) => [result, code]),
      [
        ['unchanged', undefined],
        ['refused', 'request-invalid'],
      ],
    );
    assert.equal(await check('d1'), false);
  });

  it('removes what is no longer in it, with the folders it made, and leaves what a person has changed', async () => {
    asUser('mkdir mine');
    await box.apply([
      { path: 'x/y/z', bytes: '1' },
      { path: 'edited', bytes: '2' },
      { path: 'touched', bytes: '3' },
      { path: 'mine/file', bytes: '4' },
      { path: 'p/q', bytes: '5' },
    ]);
    asUser('printf other > edited; touch touched; touch p/own');
    const { outcomes } = await box.apply([]);
    assert.deepEqual(Object.fromEntries(outcomes.map(({ path, result }) => [path, result])), {
      'x/y/z': 'removed',
      edited: 'kept',
      touched: 'removed',
      'mine/file': 'removed',
      'p/q': 'removed',
    });
    assert.deepEqual(
      ['x', 'edited', 'touched', 'mine', 'p/own'].map((path) => existsSync(at(path))),
      [false, true, false, true, true],
    );
  });

  it('keeps a hand edit as a backup that can be fetched, and wins', async () => {
    await applyOne({ path: '.config/app', bytes: 'from spoon' });
    asUser('printf mine > .config/app');
    const outcome = await applyOne({ path: '.config/app', bytes: 'newer' });
    assert.deepEqual([outcome.result, outcome.backupKind], ['written', 'edit']);
    assert.match(outcome.backup ?? '', /^\.spoon\/backup\/\d{8}T\d{9}Z\/\.config\/app$/);
    assert.equal(read('.config/app'), 'newer');
    const backup = await box.request('GET', `/v1/backups?path=${encodeURIComponent(outcome.backup ?? '')}`);
    assert.deepEqual([backup.status, backup.body.toString()], [200, 'mine']);
  });

  it('takes over a file that holds the wanted bytes already', async () => {
    asUser('printf same > f; chmod 600 f');
    assert.deepEqual(await applyOne({ path: 'f', bytes: 'same' }), { path: 'f', result: 'written' });
    assert.equal(modeOf('f'), 0o644);
    assert.deepEqual(await applyOne({ path: 'f', bytes: 'same' }), { path: 'f', result: 'unchanged' });
  });

  it('does not take its own .bash_profile for a hand edit', async () => {
    await box.apply([]);
    assert.match(read('.bash_profile'), /Made by Spoon/);
    assert.deepEqual(await applyOne({ path: '.bash_profile', bytes: 'mine' }), {
      path: '.bash_profile',
      result: 'written',
    });
  });

  it('follows a folder link inside the home, and refuses by name one that leaves it (rows 20, 29)', async () => {
    asUser(`mkdir real; ln -s real .config; ln -s ${box.home}/real .abs; mkdir deep; ln -s ../real deep/up`);
    asUser(
      `ln -s ${outside()} .out; ln -s ../outside .rel; ln -s ../home/real .around; ln -s a b; ln -s b a; ln -s /etc .etc; touch plain`,
    );
    const followed = ['.config/f', '.abs/g', 'deep/up/h'];
    const { outcomes } = await box.apply(followed.map((path) => ({ path, bytes: 'x' })));
    assert.deepEqual(
      outcomes,
      followed.map((path) => ({ path, result: 'written' })),
    );
    assert.deepEqual(['real/f', 'real/g', 'real/h'].map(read), ['x', 'x', 'x']);
    assert.ok(lstatSync(at('.config')).isSymbolicLink());
    for (const [path, code, named] of [
      ['.out/canary', 'path-through-symlink', '.out'],
      ['.rel/canary', 'path-through-symlink', '.rel'],
      ['.around/f', 'path-through-symlink', '.around'],
      ['.etc/passwd', 'path-through-symlink', '.etc'],
      ['a/f', 'path-through-symlink', 'a'],
      ['plain/f', 'path-kind-conflict', 'plain'],
    ] as const) {
      const outcome = await applyOne({ path, bytes: 'evil' });
      assert.deepEqual([outcome.result, outcome.code], ['refused', code], path);
      assert.ok(outcome.detail?.includes(`${named} `), outcome.detail);
    }
    assert.equal(readFileSync(join(outside(), 'canary'), 'utf8'), 'untouched');
    assert.deepEqual(readdirSync(outside()), ['canary']);
  });

  it('replaces a link in the place of a file, never follows it, and keeps it (row 22)', async () => {
    asUser(`ln -s ${outside()}/canary link; ln -s nowhere dangling`);
    for (const path of ['link', 'dangling']) {
      const outcome = await applyOne({ path, bytes: 'mine' });
      assert.deepEqual([outcome.result, outcome.backupKind], ['written', 'symlink']);
      assert.ok(lstatSync(at(path)).isFile());
      assert.ok(lstatSync(at(outcome.backup ?? '')).isSymbolicLink());
      const fetched = await box.request('GET', `/v1/backups?path=${encodeURIComponent(outcome.backup ?? '')}`);
      assert.equal(fetched.json().code, 'not-a-regular-file');
    }
    assert.equal(readFileSync(join(outside(), 'canary'), 'utf8'), 'untouched');
  });

  it('refuses a FIFO, a socket and a full folder, and waits for none (rows 19, 23)', async () => {
    asUser('mkfifo fifo; mkdir full void; touch full/x');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
    try {
      const started = performance.now();
      const { outcomes } = await box.apply(['fifo', 'socket', 'full', 'void'].map((path) => ({ path, bytes: 'x' })));
      assert.ok(performance.now() - started < 10_000);
      assert.deepEqual(
        outcomes.map(({ path, code }) => [path, code]),
        [
          ['fifo', 'not-a-regular-file'],
          ['socket', 'not-a-regular-file'],
          ['full', 'path-kind-conflict'],
          ['void', undefined],
        ],
      );
      assert.ok(lstatSync(at('fifo')).isFIFO());
    } finally {
      server.close();
    }
  });

  it('replaces one name of a hard link and leaves the other (row 24)', async () => {
    asUser('printf shared > one');
    linkSync(at('one'), at('two'));
    const outcome = await applyOne({ path: 'one', bytes: 'mine' });
    assert.equal(outcome.backupKind, 'edit');
    assert.deepEqual([read('one'), read('two')], ['mine', 'shared']);
    assert.notEqual(statSync(at('one')).ino, statSync(at('two')).ino);
  });

  it('refuses what it may not write, by its path, and writes the rest (row 26)', async () => {
    asUser('mkdir closed none; chmod 500 closed; chmod 000 none');
    const roots = testUid !== undefined;
    if (roots) mkdirSync(at('roots'));
    const paths = [...(roots ? ['closed/f', 'none/f', 'roots/f'] : []), 'open/f', 'none2'];
    const { outcomes, stages } = await box.apply(paths.map((path) => ({ path, bytes: 'x' })));
    for (const { path, result, code, detail } of outcomes) {
      if (/^(open|none2)/.test(path)) assert.equal(result, 'written');
      else assert.ok(code === 'home-not-writable' && detail?.includes(path), `${path} ${code} ${detail}`);
    }
    assert.equal(stages.find(({ name }) => name === 'overlay')?.state, roots ? 'failed' : 'ok');
    chmodSync(at('none'), 0o700);
  });

  it('refuses paths that are no dotfiles, one by one', async () => {
    const bad = [
      '../x',
      '/etc/x',
      '.spoon/manifest.json',
      'Code/a/b',
      'a/.git/config',
      'a\nb',
      '',
      `${'d/'.repeat(40)}f`,
    ];
    const { outcomes } = await box.apply([...bad.map((path) => ({ path, bytes: 'x' })), { path: 'good', bytes: 'x' }]);
    assert.deepEqual(
      outcomes.map(({ result }) => result),
      [...bad.map(() => 'refused'), 'written'],
    );
    assert.equal(await check('d1'), false);
  });

  it('believes a change only on top of what it has', async () => {
    await box.apply([{ path: 'a', bytes: '1' }], { digest: 'v1' });
    await box.apply([{ path: 'b', bytes: '2' }], { scope: 'change', base: 'v1', digest: 'v2' });
    assert.equal(await check('v2'), true);
    await box.apply([{ path: 'c', bytes: '3' }], { scope: 'change', base: 'v3', digest: 'v4' });
    assert.equal(await check('v4'), false);
    await box.apply([], { scope: 'change', base: 'v4', digest: 'v5', removed: ['c', 'never-there'] });
    assert.equal(await check('v5'), false);
    assert.deepEqual([existsSync(at('a')), existsSync(at('b')), existsSync(at('c'))], [true, true, false]);
  });

  it('changes a file into a folder, a folder into a file and a link into either', async () => {
    await box.apply([
      { path: 'x', bytes: '1' },
      { path: 'y/z', bytes: '2' },
      { path: 'l', kind: 'symlink', bytes: 'x' },
    ]);
    const { outcomes } = await box.apply([
      { path: 'x/inner', bytes: '1' },
      { path: 'y', bytes: '2' },
      { path: 'l', bytes: 'file now' },
    ]);
    assert.deepEqual(
      outcomes.map(({ path, result, backup }) => [path, result, backup]),
      [
        ['y/z', 'removed', undefined],
        ['x', 'removed', undefined],
        ['x/inner', 'written', undefined],
        ['y', 'written', undefined],
        ['l', 'written', undefined],
      ],
    );
  });

  it('survives a manifest that somebody has spoiled', async () => {
    await box.apply([{ path: 'a', bytes: '1' }], { digest: 'v1' });
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"format":1,"entries":{"a":5,"../x":{}},"folders":7}',
      '{"format":99}',
    ]) {
      asUser(`printf '%s' '${text}' > .spoon/manifest.json`);
      assert.equal(await check('v1'), false, text);
    }
    const { outcomes } = await box.apply([{ path: 'a', bytes: '1' }], { digest: 'v1' });
    assert.deepEqual(outcomes, [{ path: 'a', result: 'unchanged' }]);
    assert.equal(await check('v1'), true);
  });

  it('hands out nothing but backups', async () => {
    asUser(
      'mkdir -p .spoon/backup/t; printf secret > .private; ln -s ../../../.private .spoon/backup/t/link; mkfifo .spoon/backup/t/fifo; truncate -s 11M .spoon/backup/t/big; mkdir .spoon/backup/t/dir',
    );
    for (const [path, code] of [
      ['.private', 'not-found'],
      ['.spoon/manifest.json', 'not-found'],
      ['.spoon/backup/../../.private', 'not-found'],
      ['.spoon/backup/t/none', 'not-found'],
      ['.spoon/backup/t/link', 'not-a-regular-file'],
      ['.spoon/backup/t/fifo', 'not-a-regular-file'],
      ['.spoon/backup/t/dir', 'not-a-regular-file'],
      ['.spoon/backup/t/big', 'body-too-large'],
      ['', 'not-found'],
    ]) {
      const reply = await box.request('GET', `/v1/backups?path=${encodeURIComponent(path ?? '')}`);
      assert.equal(reply.json().code, code, path);
    }
  });

  it('refuses a body that is no list of frames, and what had arrived stays right', async () => {
    for (const body of [
      Buffer.alloc(0),
      Buffer.from('{}'),
      Buffer.from([0, 0, 0, 2, 0x7b, 0x7d]),
      Buffer.from([255, 255, 255, 255]),
    ]) {
      assert.equal((await box.request('POST', '/v1/overlay/apply', body)).status, 422);
    }
    assert.equal((await box.request('GET', '/v1/stat')).status, 200);
  });

  it('sets times right for a check after a touch into the past', async () => {
    await box.apply([{ path: 'a', bytes: '1' }], { digest: 'v1' });
    utimesSync(at('a'), 1, 1);
    assert.equal(await check('v1'), false);
    await box.apply([{ path: 'a', bytes: '1' }], { digest: 'v1' });
    assert.equal(await check('v1'), true);
  });
});
