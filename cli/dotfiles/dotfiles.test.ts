import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { MemoryService } from '../../test/fixtures/memoryService.fixture.ts';
import { ProtocolService } from '../../test/fixtures/protocolService.fixture.ts';
import { type Finished, PersonsMachine } from '../../test/fixtures/spoonctl.fixture.ts';

const everyByte = Buffer.from(Uint8Array.from({ length: 256 }, (_, index) => index));

describe('spoonctl dotfiles', { timeout: 120_000 }, () => {
  let memory: MemoryService;
  let machine: PersonsMachine;

  before(async () => {
    memory = await MemoryService.start('test-token');
  });
  after(() => memory[Symbol.asyncDispose]());
  beforeEach(async () => {
    memory.dotfiles.clear();
    machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: memory.service.url, SPOON_TOKEN: 'test-token' };
  });
  afterEach(() => machine[Symbol.asyncDispose]());

  const run = async (args: string, input?: string | Uint8Array): Promise<Finished> =>
    await machine.run(['dotfiles', ...args.split(' ')], input);
  const stored = (path: string): { bytes: Buffer; mode: number | undefined } => ({
    bytes: memory.dotfiles.get(path)?.bytes ?? Buffer.alloc(0),
    mode: memory.dotfiles.get(path)?.dotfile.mode,
  });

  it('puts from a file and gets the same bytes', async () => {
    await writeFile(join(machine.homeDir, 'source'), everyByte, { mode: 0o600 });
    const put = await run('put ~/.bin --from source --mode 755');
    assert.equal(put.code, 0, put.stderr);
    assert.equal(put.stdout.toString(), 'Saved .bin as version 1. Your box has the change.\n');
    assert.deepEqual(stored('.bin'), { bytes: everyByte, mode: 0o755 });
    const got = await run('get .bin');
    assert.deepEqual(got.stdout, everyByte);
    assert.equal(got.stderr, '');
  });

  it('says why one could not be restored in the box, and fails', async () => {
    const applied = { state: 'refused', detail: 'A folder is in its place.' };
    memory.service.answer('restoreDrift', () => ({ applied }));
    const { code, stdout, stderr } = await run('drift .vimrc --restore');
    assert.equal(code, 1);
    assert.equal(stdout.toString(), '');
    assert.match(stderr, /\.vimrc could not be restored\. A folder is in its place\. Look at what is at ~\/\.vimrc/);
    const json = await run('drift .vimrc --restore --json');
    assert.deepEqual([json.code, JSON.parse(json.stdout.toString())], [1, { applied }]);
  });

  it('puts from stdin, named or piped, and replaces', async () => {
    assert.equal((await run('put .a --from -', 'one')).code, 0);
    const second = await run('put .a --json', everyByte);
    assert.equal(JSON.parse(second.stdout.toString()).dotfile.version, 2);
    assert.deepEqual(stored('.a'), { bytes: everyByte, mode: 0o644 });
    assert.equal((await run('put .empty --from -', '')).code, 0);
  });

  it('puts the same file of the home here, with its permissions', async () => {
    const file = join(machine.homeDir, '.config', 'tool');
    await mkdir(join(machine.homeDir, '.config'));
    await writeFile(file, '#!/bin/sh\n');
    await chmod(file, 0o700);
    assert.equal((await run(`put ${file}`)).code, 0);
    assert.deepEqual(stored('.config/tool'), { bytes: Buffer.from('#!/bin/sh\n'), mode: 0o700 });
  });

  it('does not empty a file because nothing was piped', async () => {
    const { code, stderr } = await run('put .a', '');
    assert.equal(code, 2);
    assert.match(stderr, /Nothing came on stdin/);
    assert.equal(memory.dotfiles.size, 0);
  });

  it('refuses what is too large before sending it', async () => {
    const { code, stderr } = await run('put .a --from -', Buffer.alloc(10 * 2 ** 20 + 1));
    assert.equal(code, 1);
    assert.match(stderr, /10 MiB/);
    assert.equal(memory.dotfiles.size, 0);
  });

  it('does not overwrite what somebody saved meanwhile', async (t) => {
    await run('put .a --from -', 'one');
    const listed = { dotfiles: [...memory.dotfiles.values()].map(({ dotfile }) => dotfile) };
    await run('put .a --from -', 'two');
    t.after(memory.service.override('listDotfiles', () => listed));
    const { code, stderr } = await run('put .a --from -', 'three');
    assert.equal(code, 5);
    assert.match(stderr, /has changed since it was read/);
    assert.equal(stored('.a').bytes.toString(), 'two');
  });

  it('lists, below a folder too', async () => {
    for (const path of ['.b/two', '.a', '.b/one', '.bc']) await run(`put ${path} --from -`, 'x');
    const all = await run('ls --json');
    assert.deepEqual(
      JSON.parse(all.stdout.toString()).dotfiles.map(({ path }: { path: string }) => path),
      ['.a', '.b/one', '.b/two', '.bc'],
    );
    const lines = (await run('ls ~/.b')).stdout.toString().trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^MODE +SIZE +VERSION +CHANGED +PATH$/);
    assert.match(lines[1] ?? '', /^-644 +1 +1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\.b\/one$/);
    assert.equal(lines.length, 3);
  });

  it('moves, removes and tells the history', async () => {
    await run('put .a --from -', 'x');
    const moved = await run('mv .a ~/.b');
    assert.match(moved.stdout.toString(), /^Moved 1 dotfile\./);
    const history = await run('history .b --json');
    assert.equal(JSON.parse(history.stdout.toString()).versions[0].current, true);
    const removed = await run('rm .b');
    assert.equal(removed.stdout.toString(), 'Removed 1 dotfile. Your box is off and takes it at its next start.\n');
    assert.equal((await run('rm .b')).code, 4);
  });

  const refused: [string, string, number, RegExp][] = [
    ['a path outside of the home', 'get ../../etc/passwd', 1, /leaves the home/],
    ['an absolute path', 'get /etc/passwd', 1, /relative to the home/],
    ['a missing file', 'get .nothing', 4, /There is no such thing/],
    ['a mode that is none', 'put .a --from - --mode 999', 1, /three octal digits/],
    ['a version that is none', 'get .a --version x', 2, /whole number/],
    ['a missing local file', 'put .a --from ./missing', 2, /There is no file \.\/missing here/],
    ['an unknown option', 'ls --frob', 2, /unknown option/],
    ['a missing path', 'get', 2, /missing required argument/],
  ];
  for (const [name, args, code, message] of refused) {
    it(`refuses ${name} with code ${code}`, async () => {
      const finished = await run(args);
      assert.equal(finished.code, code);
      assert.match(finished.stderr, /^spoonctl: /);
      assert.match(finished.stderr, message);
      assert.equal(finished.stderr.trimEnd().split('\n').length, 1);
      assert.equal(finished.stdout.length, 0);
    });
  }

  it('gives programs the problem document', async () => {
    const { code, stderr } = await run('get .nothing --json');
    assert.equal(code, 4);
    assert.equal(JSON.parse(stderr).code, 'not-found');
  });

  it('says who is missing when not signed in, refused or unreachable', async () => {
    machine.env = {};
    assert.equal((await run('ls')).code, 3);
    machine.env = { SPOON_URL: memory.service.url, SPOON_TOKEN: 'wrong' };
    const wrong = await run('ls');
    assert.equal(wrong.code, 3);
    assert.match(wrong.stderr, /spoonctl login/);
    const gone = await ProtocolService.start();
    await gone.pause();
    machine.env = { SPOON_URL: gone.url, SPOON_TOKEN: 'x' };
    const away = await run('ls');
    assert.equal(away.code, 69);
    assert.match(away.stderr, /127\.0\.0\.1:\d+ refused the connection/);
    machine.env = { SPOON_URL: 'http://spoon.example.org', SPOON_TOKEN: 'x' };
    assert.match((await run('ls')).stderr, /Plain HTTP would show the token/);
  });

  it('shows what a hostile service says as text', async (t) => {
    const hostile = (): never => {
      throw new SpoonError('not-found', '\u001b]0;owned\u0007\u001b[2J\u202e');
    };
    t.after(memory.service.override('dotfileHistory', hostile));
    const { stderr } = await run('history .a');
    assert.match(stderr, /\\x1b\]0;owned\\x07\\x1b\[2J\\u202e/);
    assert.ok(!stderr.includes('\u001b'));
  });
});
