import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, link, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { operatorCall, TestHttpSide } from '../../test/fixtures/httpSide.fixture.ts';
import { type Finished, PersonsMachine } from '../../test/fixtures/spoonctl.fixture.ts';

describe('spoonctl dotfiles, with a real service', { timeout: 240_000 }, () => {
  let side: TestHttpSide;
  let machine: PersonsMachine;
  before(async () => {
    side = await TestHttpSide.start();
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/tokens', { name: 'x' });
    machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: side.url, SPOON_TOKEN: String(body.token) };
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await side[Symbol.asyncDispose]();
  });

  const run = (args: string, input?: string | Uint8Array): Promise<Finished> =>
    machine.run(['dotfiles', ...args.split(' ')], input);
  async function ok(args: string, input?: string | Uint8Array): Promise<string> {
    const { code, stdout, stderr } = await run(args, input);
    assert.equal(code, 0, `${args}: ${stderr}`);
    return stdout.toString();
  }
  const local = async (path: string, bytes: string | Uint8Array, mode = 0o644) => {
    await mkdir(dirname(join(machine.homeDir, path)), { recursive: true });
    await writeFile(join(machine.homeDir, path), bytes);
    await chmod(join(machine.homeDir, path), mode);
  };
  const get = async (path: string) => (await run(`get ${path}`)).stdout;

  it('imports a folder as it is, leaves out what nobody means, and names what it refuses', async () => {
    await local('dots/.bashrc', 'one');
    await local('dots/bin/-run', '#!/bin/sh', 0o755);
    await local('dots/.ssh/config', 'Host x');
    await local('dots/.git/config', 'never');
    await local('dots/font.ttf', Buffer.from([0, 1, 2, 255]));
    await local('dots/Code/checkout', 'never');
    await local('dots/.env', `TOKEN=ghp_${'a1B2c3'.repeat(6)}`);
    await symlink('../.bashrc', join(machine.homeDir, 'dots/bin/link'));
    execFileSync('mkfifo', [join(machine.homeDir, 'dots/pipe')]);
    const { code, stdout, stderr } = await run('import dots');
    assert.equal(code, 1);
    assert.match(stdout.toString(), /^Saved 6 dotfiles; 1 left out \(\.git\), 2 refused\.\n/);
    assert.match(stdout.toString(), /Code: Checkouts.*\n {2}pipe: .*pipe/);
    assert.match(stderr, /\.env looks as if it holds a GitHub token \(line 1\)/);
    assert.ok(!stderr.includes('a1B2c3'));
    const list = await ok('ls');
    for (const line of [/-755 .* bin\/-run/, /l777 .* bin\/link/, /-600 .* \.ssh\/config/]) assert.match(list, line);
    assert.deepEqual(await get('font.ttf'), Buffer.from([0, 1, 2, 255]));
    assert.match(await ok('history .bashrc'), / import /);
  });

  it('asks before it replaces, and is told with a flag where nobody can be asked', async () => {
    await local('more/.bashrc', 'two');
    await local('more/font.ttf', Buffer.from([0, 1, 2, 255]));
    const asked = await run('import more');
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /1 dotfile with another content is kept already\. Give --replace or --keep/);
    assert.match(await ok('import more --keep'), /^Saved 0 dotfiles; 1 unchanged, 1 left as they were\./);
    assert.equal((await get('.bashrc')).toString(), 'one');
    const replaced = JSON.parse(await ok('import more --replace --json'));
    assert.deepEqual([replaced.saved, replaced.unchanged, replaced.refused], [1, 1, []]);
    assert.equal((await get('.bashrc')).toString(), 'two');
    assert.match(await ok('import more --to .config/more'), /^Saved 2 dotfiles\./);
  });

  it('exports what tar unpacks, and imports archives from stdin and files', async () => {
    await ok('export all.tar');
    const listed = execFileSync('tar', ['-tf', join(machine.homeDir, 'all.tar')], { encoding: 'utf8' });
    assert.ok(listed.split('\n').includes('bin/-run'));
    const piped = await run('export');
    assert.deepEqual(piped.stdout, await readFile(join(machine.homeDir, 'all.tar')));
    assert.match(await ok('import -', piped.stdout), /^Saved 0 dotfiles; 8 unchanged/);
    const bad = await run('import -', 'no archive');
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /cannot be read/);
    await local('few/.bashrc', 'three');
    execFileSync('tar', ['-czf', join(machine.homeDir, 'few.tgz'), '-C', join(machine.homeDir, 'few'), '.']);
    assert.equal((await run('import few.tgz')).code, 2);
    assert.match(await ok('import few.tgz --replace'), /^Saved 1 dotfile\./);
  });

  it('shows history and differences, restores versions and removed ones', async () => {
    const diff = await run('diff .bashrc --version 1');
    assert.equal(diff.code, 1);
    assert.match(
      diff.stdout.toString(),
      /--- \.bashrc \(version 1\)\n\+\+\+ \.bashrc \(version 3\)\n.*\n-one\n.*\n\+three\n/,
    );
    assert.equal((await run('diff .bashrc --version 3')).code, 0);
    assert.match(await ok('restore .bashrc --version 1'), /^Saved \.bashrc as version 4\./);
    assert.equal((await get('.bashrc')).toString(), 'one');
    await ok('rm font.ttf');
    assert.match(await ok('deleted'), / font\.ttf\n/);
    assert.match(await ok('history font.ttf'), /^font\.ttf was removed /);
    assert.match(await ok('restore font.ttf'), /^Saved font\.ttf as version 2\./);
    assert.deepEqual(await get('font.ttf'), Buffer.from([0, 1, 2, 255]));
    assert.equal((await run('restore never-there')).code, 4);
    assert.equal((await run('restore .bashrc --version x')).code, 2);
  });

  it('edits in the editor of the person', async () => {
    machine.env.EDITOR = `printf ' and more' >>`;
    assert.match(await ok('edit .bashrc'), /^Saved \.bashrc as version 5\./);
    assert.equal((await get('.bashrc')).toString(), 'one and more');
    machine.env.EDITOR = 'true';
    assert.equal(await ok('edit .bashrc'), 'Nothing was changed.\n');
    machine.env.EDITOR = 'false';
    const untouched = await run('edit .bashrc');
    assert.equal(untouched.code, 2);
    assert.doesNotMatch(untouched.stderr, /Your text is in/);
    machine.env.EDITOR = 'printf new >';
    assert.match(await ok('edit .new'), /^Saved \.new as version 1\./);
  });

  it('keeps what was written when the editor fails or is killed', async () => {
    for (const [end, said] of [
      ['exit 3', /The editor ended with 3\. Nothing was saved\./],
      ['kill -KILL $$', /The editor ended with a signal\. Nothing was saved\./],
    ] as const) {
      machine.env.EDITOR = `f() { printf ' precious' >> "$1"; ${end}; }; f`;
      const { code, stderr } = await run('edit .bashrc');
      assert.equal(code, 2);
      assert.match(stderr, said);
      const place = /Your text is in (\S+) until you remove it\./.exec(stderr)?.[1] ?? '';
      assert.equal(await readFile(place, 'utf8'), 'one and more precious');
      await rm(dirname(place), { recursive: true });
    }
    assert.equal((await get('.bashrc')).toString(), 'one and more');
  });

  it('leaves the file that an export would replace as it is until the export is whole', async () => {
    await local('taken/old.tar', 'an older export', 0o644);
    const taken = join(machine.homeDir, 'taken');
    // Another name of the same file: what is written in place shows there, too.
    await link(join(taken, 'old.tar'), join(taken, 'before'));
    await ok('export taken/old.tar');
    assert.equal((await stat(join(taken, 'before'))).size, 'an older export'.length);
    assert.equal((await stat(join(taken, 'old.tar'))).mode & 0o777, 0o600);
    assert.ok((await readFile(join(taken, 'old.tar'))).length > 1024);
    await mkdir(join(taken, 'folder.tar'));
    const refused = await run('export taken/folder.tar');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /taken\/folder\.tar cannot be written: /);
    assert.deepEqual((await readdir(taken)).sort(), ['before', 'folder.tar', 'old.tar']);
  });

  it('exports into a pipe, which stays one', async () => {
    const pipe = join(machine.homeDir, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [archive] = await Promise.all([readFile(pipe), ok('export pipe')]);
    assert.ok(archive.length > 1024);
    assert.ok((await stat(pipe)).isFIFO());
  });

  it('shows, takes and restores what was changed in the home', async () => {
    assert.match(await ok('drift'), /^Your box is off/);
    assert.equal((await machine.run(['box', 'start'])).code, 0);
    const inHome = join(side.boxes.homeOf('ada'), '.bashrc');
    await writeFile(inHome, 'by hand');
    for (let list = ''; !list.includes('modified'); ) list = await ok('drift');
    assert.match((await run('diff .bashrc')).stdout.toString(), /-one and more\n.*\n\+by hand\n/);
    assert.match(await ok('drift .bashrc --take'), /^Saved \.bashrc as version 6\. Your box has the change\.\n/);
    await writeFile(inHome, 'again');
    for (let list = ''; !list.includes('modified'); ) list = await ok('drift .bashrc');
    assert.match(await ok('drift .bashrc --restore'), /^Restored \.bashrc\. What was in the home is version 7\./);
    assert.equal(await readFile(inHome, 'utf8'), 'by hand');
    assert.match(await ok('apply'), /^Box {7}running/);
    assert.match(await ok('why .bashrc'), /overlay +wins +Version 6 of the dotfile\.\nhand +Was in the way/);
    assert.match(await ok('why .bash_profile'), /spoon +wins/);
    assert.equal(await ok('why .nothing'), 'Nothing is at .nothing.\n');
  });
});
