import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import type { TestTree } from '../testing/publishTree.ts';
import { TestRepository } from './testRepository.fixture.ts';

/** `security.md` R21, rows 91 and 92: whatever a setup script does, it is said, ended, and a terminal opens. */
describe('a setup script that', () => {
  let at: TestRepository;
  before(async () => {
    at = await TestRepository.start();
  });
  after(() => at[Symbol.asyncDispose]());

  let count = 0;
  const sin = async (tree: TestTree | string, more: Partial<StartRepositoryRun> = {}) => {
    const name = `sin${count++}`;
    at.publish(name, typeof tree === 'string' ? { 'install.sh': tree } : tree);
    const run = await at.run(name, more);
    const setup = run.stages.find((stage) => stage.name === 'setup');
    assert.ok(setup, JSON.stringify(run));
    const opened = await at.box.openTerminal({ id: name });
    assert.equal(opened.status, 200, 'a terminal opens');
    assert.equal((await at.box.request('DELETE', `/v1/terminals/${name}`)).status, 204);
    return { ...setup, run };
  };
  const leftOver = (mark: string) =>
    readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
        } catch {
          return false;
        }
      });

  /** Signalled when the run says that it has ended; a moment later they have. */
  const gone = async (mark: string): Promise<void> => {
    const untilMs = performance.now() + 30_000;
    while (leftOver(mark).length > 0) {
      assert.ok(performance.now() < untilMs, `left over: ${leftOver(mark)}`);
      await delay(20);
    }
  };

  it('never ends is ended in time', async () => {
    const { state, detail } = await sin('sleep 86411 & trap "" TERM HUP; while :; do sleep 86412; done', {
      setupMs: 500,
    });
    assert.equal(state, 'failed');
    assert.match(detail ?? '', /did not finish in .* and was ended, with everything it had started/);
    await gone('86411');
    await gone('86412');
  });

  it('is cancelled is ended at once', async () => {
    at.publish('long', { 'install.sh': 'echo started; sleep 86413' });
    const begun = await at.post('run', at.request('long'));
    await at.watch(begun, ({ stages }) => stages.at(-1)?.name === 'setup');
    const { run } = await at.post('cancel');
    assert.deepEqual([run?.state, run?.stages.at(-1)?.state], ['cancelled', 'cancelled']);
    await gone('86413');
    assert.equal((await at.post('run', at.request('long', { commit: run?.commit ?? null }))).upToDate, false);
    await at.post('cancel');
  });

  it('floods has its beginning and its end kept', async () => {
    const { state } = await sin('echo first; head -c 50000000 /dev/zero | tr "\\0" x; echo; echo last');
    assert.equal(state, 'ok');
    const log = await at.log();
    assert.ok(Buffer.byteLength(log) < 1.1 * 1024 * 1024, `${log.length}`);
    assert.match(log, /first\n/);
    assert.match(log, /… 4\d{7} bytes omitted …/);
    assert.match(log, /last\n/);
  });

  it('leaves processes behind, out of its session, has them ended', async () => {
    const { state } = await sin(
      'for i in 1 2 3; do setsid -f sh -c \'trap "" HUP; sleep 86414\'; done; sleep 86414 & disown',
    );
    assert.equal(state, 'ok');
    await gone('86414');
  });

  it('ends with 1 says so', async () => {
    const { state, exitCode, detail } = await sin('echo why >&2; exit 1');
    assert.deepEqual([state, exitCode], ['failed', 1]);
    assert.match(detail ?? '', /exit code 1/);
    assert.match(await at.log(), /why\n/);
  });

  it('reads its input finds the end of it', async () => {
    const { state } = await sin('read -r answer; echo "answer: <$answer>"; cat');
    assert.equal(state, 'ok');
    assert.match(await at.log(), /answer: <>/);
  });

  it('kills its parent does not reach boxd', async () => {
    const { state } = await sin('kill -9 $PPID; sleep 86415');
    assert.equal(state, 'failed');
    assert.equal(at.box.process.exitCode, null);
    await gone('86415');
  });

  it('deletes the home leaves one that works', async () => {
    const { run } = await sin('rm -rf "$HOME"/.[a-z]* "$HOME"/* 2>/dev/null; true');
    assert.equal(run.state, 'ok');
    assert.ok(existsSync(at.home('.spoon/env-hash')), 'the mark is made anew');
  });

  it('is in another language is run by that', async () => {
    const { state } = await sin({ install: '#!/usr/bin/env -S awk -f\nBEGIN { print "by awk" }\n' });
    assert.equal(state, 'ok', await at.log());
    assert.match(await at.log(), /by awk/);
  });

  const refused: [string, TestTree, Partial<StartRepositoryRun>, RegExp][] = [
    ['is missing', { a: '' }, { setup: 'script/none' }, /script\/none is not in the repository\. Nothing was run/],
    ['is a folder', { 'dir/a': '' }, { setup: 'dir' }, /dir is not a file/],
    ['has a CRLF shebang', { 'install.sh': '#!/bin/bash\r\necho x\r\n' }, {}, /Windows line endings \(CRLF\)/],
    ['is a link to /etc/shadow', { install: { link: '/etc/shadow' } }, {}, /install is a link that leads out/],
    ['is a link to itself', { setup: { link: 'setup' } }, { setup: 'setup' }, /round in a circle/],
  ];
  for (const [name, tree, more, why] of refused) {
    it(`${name} is not run, and why is said`, async () => {
      const { state, detail, exitCode } = await sin(tree, more);
      assert.deepEqual([state, exitCode], ['failed', undefined]);
      assert.match(detail ?? '', why);
    });
  }

  it('has a name that a shell would take apart is one argument', async () => {
    const path = 'a b; $(touch ~/pwned)';
    assert.equal((await sin({ [path]: 'echo ran' }, { setup: path })).state, 'ok');
    assert.match(await at.log(), /ran\n/);
    assert.ok(!existsSync(at.home('pwned')));
  });
});

describe('the server of a dotfiles repository that', () => {
  let at: TestRepository;
  before(async () => {
    at = await TestRepository.start();
  });
  after(() => at[Symbol.asyncDispose]());

  it('hangs is given up in time, and nothing is left of it', async () => {
    at.server.handle('hang', () => {});
    const run = await at.run('hang/x', { cloneMs: 500 });
    assert.match(run.stages[0]?.detail ?? '', /did not finish in time/);
    assert.ok(!readdirSync(at.home('.spoon')).some((name) => name.startsWith('clone-')));
    assert.equal((await at.box.openTerminal()).status, 200);
  });

  it('redirects is not followed, to wherever', async () => {
    at.server.handle('canary', (_, response) => response.writeHead(200).end());
    at.server.handle('away', (_, response) => {
      response.writeHead(302, { location: at.server.url('canary/x') }).end();
    });
    const run = await at.run('away/x');
    assert.match(run.stages[0]?.detail ?? '', /The repository has moved/);
    assert.ok(!at.server.requests.some((path) => path.includes('canary')));
  });

  it('asks for a password is told as private or missing, at once', async () => {
    at.server.handle('private', (_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    });
    const startMs = performance.now();
    const run = await at.run('private/x');
    assert.ok(performance.now() - startMs < 5_000);
    assert.match(run.stages[0]?.detail ?? '', /private or missing/);
  });

  it('is gone leaves the home as it was', async () => {
    at.publish('there', { 'install.sh': 'echo here > ~/made' });
    assert.equal((await at.run('there')).state, 'ok');
    at.server.handle('there.git', (_, response) => response.writeHead(503).end());
    const run = await at.run('there', { commit: 'a'.repeat(40) });
    assert.equal(run.state, 'failed');
    assert.equal(at.read('made'), 'here\n');
    assert.ok(existsSync(at.home('.dotfiles/install.sh')));
  });
});
