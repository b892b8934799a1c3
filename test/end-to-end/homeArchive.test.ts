import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../boxd/testing/eventually.ts';
import { packTar } from '../fixtures/packTar.fixture.ts';
import { PersonsMachine, spoonctlFile } from '../fixtures/spoonctl.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';

const good = { name: 'hostile/good', type: 'file', content: 'x' } as const;

describe('the home as an archive', { concurrency: false, timeout: 600_000 }, () => {
  let folder: string;
  let service: RunningService;
  let machine: PersonsMachine;
  let ada: TestUser;
  let grace: TestUser;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-archive-'));
    service = await RunningService.start({ engine: 'process' });
    machine = await PersonsMachine.create();
    [ada, grace] = [await service.addUser('Ada'), await service.addUser('Grace')];
  });
  after(async () => {
    await service?.[Symbol.asyncDispose]();
    await machine?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const sh = (user: TestUser, script: string): Promise<string> => service.inBox(user, 'sh', '-c', script);
  /** All that a file is, of all but what Spoon itself and its tests write. */
  const facts = (user: TestUser, below = 'all'): Promise<string> =>
    sh(
      user,
      `cd ${below} && { find . -type d -printf '%P|%m|%T@\\n' -o -printf '%P|%y|%m|%n|%l|%T@|%s\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum; }`,
    );
  const stages = (user: TestUser): Promise<string> => sh(user, 'ls -A .spoon | grep import; true');
  const started = (user: TestUser, args: readonly string[]) => {
    machine.env = { SPOON_URL: service.url, SPOON_TOKEN: user.token };
    return spawn(process.execPath, [spoonctlFile, ...args], { env: machine.fullEnv, stdio: ['pipe', 'pipe', 'pipe'] });
  };

  it('goes from one home to another as it is: modes, links, times, holes and odd names', async () => {
    await sh(
      ada,
      `mkdir -p all/closed all/empty all/-dash "all/$(printf 'new\\nline')" all/many && cd all
       echo plain > plain; echo key > .key; chmod 600 .key; echo tool > tool; chmod 755 tool; echo no > no; chmod 444 no
       : > nothing; echo inside > closed/inside; chmod 555 closed
       ln -s plain relative; ln -s /etc/passwd absolute; ln -s nowhere dangling; ln -s ../all around; ln plain twin
       truncate -s 64M holes; printf x | dd of=holes bs=1 seek=40000000 conv=notrunc 2>/dev/null
       echo 1 > "-dash/--delete"; echo 2 > "$(printf 'new\\nline')/a b"; echo 3 > 'star*?[x]'; echo 4 > Zoë; echo 5 > "$(printf 'b\\377d')"
       echo 6 > ' '; echo 7 > '\\'; echo long > "$(printf '%0200d' 0)"
       i=0; while [ $i -lt 5000 ]; do echo $i > many/$i; i=$((i + 1)); done
       mkfifo pipe; touch -d '2001-02-03 04:05:06.789' plain tool relative -h; touch -d 1999-12-31 empty closed`,
    );
    const archive = join(folder, 'home.tar.zst');
    const exported = await service.spoonctl(ada, ['home', 'export', archive]);
    assert.equal(exported.code, 0, exported.stderr);
    assert.match(exported.stderr, /dotfiles in plain text, keys and tokens too/);
    assert.equal((await stat(archive)).mode & 0o777, 0o600);
    assert.ok((await stat(archive)).size < 4 * 2 ** 20, 'a hole is no bytes');
    assert.deepEqual(await readdir(folder), ['home.tar.zst']);

    const imported = await service.spoonctl(grace, ['home', 'import', archive]);
    assert.equal(imported.code, 0, imported.stderr);
    assert.match(imported.stderr, /Imported 50\d\d files/);
    await sh(ada, 'rm all/pipe; touch -r all/plain all');
    await sh(grace, 'touch -r all/plain all');
    assert.equal(await facts(grace), await facts(ada));
    assert.equal(await sh(grace, 'stat -c %u all/plain'), await sh(grace, 'id -u'));
    assert.ok(Number(await sh(grace, 'stat -c %b all/holes')) < 1000);
    assert.equal(await stages(grace), '');
  });

  it('says nothing of what is the same, and refuses what is not, unless it may replace it', async () => {
    const archive = join(folder, 'home.tar.zst');
    const again = await service.spoonctl(grace, ['home', 'import', archive]);
    assert.equal(again.code, 0, again.stderr);
    await sh(grace, 'echo other > all/tool; echo mine > all/mine; ln -sfn elsewhere all/dangling');
    const before = await facts(grace);
    const refused = await service.spoonctl(grace, ['home', 'import', archive]);
    assert.equal(refused.code, 5, refused.stderr);
    assert.match(
      refused.stderr,
      /~\/all\/(tool, ~\/all\/dangling|dangling, ~\/all\/tool)\. To replace them: --replace/,
    );
    assert.equal(await facts(grace), before);

    assert.equal((await service.spoonctl(grace, ['home', 'import', archive, '--replace'])).code, 0);
    assert.equal(await sh(grace, 'cat all/tool; readlink all/dangling; cat all/mine'), 'tool\nnowhere\nmine');

    await sh(grace, 'rm all/plain && mkdir all/plain; rmdir all/empty && ln -s /tmp all/empty');
    const kinds = await service.spoonctl(grace, ['home', 'import', archive, '--replace']);
    assert.equal(kinds.code, 5);
    assert.match(kinds.stderr, /~\/all\/(plain|empty), ~\/all\/(plain|empty): a folder on one side only/);
    assert.equal(await stages(grace), '');
  });

  it('leaves out what it is told to, and through a pipe is a plain tar', async () => {
    await sh(ada, 'mkdir -p .cache "x[1]" x1 .spoon; touch .cache/a "x[1]/a" x1/a');
    const args = ['home', 'export', '--no-caches', '--exclude', '~/all/', '--exclude', 'x[1]'];
    const { code, stdoutBytes } = await service.spoonctl(ada, args);
    assert.equal(code, 0);
    const file = join(folder, 'plain.tar');
    await writeFile(file, stdoutBytes);
    const tar = spawn('tar', ['-tf', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let names = '';
    for await (const chunk of tar.stdout) names += String(chunk);
    assert.match(names, /^\.\/x1\/a$/m);
    assert.doesNotMatch(names, /\.cache|x\[1\]|\/all|\.spoon/);
    for (const path of ['/etc', '../x', '~/'])
      assert.equal((await service.spoonctl(ada, ['home', 'export', '--exclude', path])).code, 2, path);
  });

  it('takes nothing of an archive that leads out of the home, is damaged, or only half there (row 93)', async () => {
    const link = { name: 'hostile/l', type: 'symlink', linkname: '/home/grace' } as const;
    const below = await packTar(good, link, { name: 'hostile/l/b', type: 'file', content: 'x' });
    const whole = await packTar({ ...good, content: 'y'.repeat(100_000) });
    const cases: [Buffer, RegExp][] = [
      [below, /hostile\/l\/b: It lies below a link/],
      [whole.subarray(0, 50_000), /Nothing was imported/],
      [Buffer.from('28b52ffd00112233445566', 'hex'), /damaged, or not whole/],
      [Buffer.concat([Buffer.from('1f8b0800', 'hex'), Buffer.alloc(99)]), /damaged, or not whole/],
    ];
    for (const [archive, said] of cases) {
      const { code, stderr } = await service.spoonctl(grace, ['home', 'import', '-'], archive);
      assert.equal(code, 1, stderr);
      assert.match(stderr, said);
    }
    assert.equal(await sh(grace, 'ls -d hostile b 2>/dev/null; ls -A .spoon | grep import; true'), '');
  });

  it('says where a file is missing, a folder, or in the way of the archive', async () => {
    for (const args of [
      ['home', 'import', join(folder, 'nothing')],
      ['home', 'import', folder],
      ['home', 'export', join(folder, 'no', 'such')],
    ]) {
      const { code, stderr } = await service.spoonctl(ada, args);
      assert.equal(code, 2, stderr);
    }
  });

  it('leaves nothing behind when an export is cancelled', async () => {
    await sh(ada, 'head -c 64M /dev/urandom > noise');
    const archive = join(folder, 'cancelled.tar');
    const child = started(ada, ['home', 'export', archive]);
    const exited = once(child, 'exit');
    const begun = async (): Promise<boolean> => {
      const name = (await readdir(folder)).find((one) => one.startsWith('cancelled.tar'));
      return name !== undefined && (await stat(join(folder, name))).size > 0;
    };
    await eventually('begun', begun);
    child.kill('SIGINT');
    assert.deepEqual(await exited, [130, null]);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('cancelled')),
      [],
    );
    await eventually('no tar', async () => (await sh(ada, 'pgrep -x tar; true')) === '');
  });

  it('leaves the home as it was when an import is cancelled', async () => {
    const archive = await packTar({ ...good, content: 'x'.repeat(8 * 2 ** 20) });
    const before = await sh(grace, 'ls -A');
    const child = started(grace, ['home', 'import', '-']);
    // It ends with its input half read.
    child.stdin.on('error', () => undefined);
    const exited = once(child, 'exit');
    child.stdin.write(archive.subarray(0, 4 * 2 ** 20));
    await eventually('begun', async () => (await sh(grace, 'ls .spoon/import-*/hostile; true')) !== '');
    child.kill('SIGINT');
    assert.deepEqual(await exited, [130, null]);
    assert.equal(await stages(grace), '');
    assert.equal(await sh(grace, 'ls -A'), before);
    await eventually('no tar', async () => (await sh(grace, 'pgrep -x tar; true')) === '');
  });

  it('says what it could not read, and takes the place of an older archive when it is whole', async () => {
    const archive = join(folder, 'kept.tar');
    await writeFile(archive, 'before');
    await sh(ada, 'mkdir -p secret && touch secret/x && chmod 000 secret');
    const { code, stderr } = await service.spoonctl(ada, ['home', 'export', archive]);
    await sh(ada, 'chmod 700 secret');
    assert.equal(code, 1, 'what could not be read is missing');
    assert.match(stderr, /secret.*denied/i);
    const file = await open(archive);
    assert.notEqual((await readFile(file)).subarray(0, 6).toString(), 'before');
    await file.close();
  });
});
