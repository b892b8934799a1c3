import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import type { Job, JobDetails, JobList } from '../../protocol/jobs.ts';
import { TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { PersonsMachine, spoonctlFile } from '../fixtures/spoonctl.fixture.ts';

/** As a person uses jobs from a shell. No model can be reached here: the agent is a shell that takes its prompt for a script. */
describe('spoonctl jobs', { timeout: 300_000 }, () => {
  let server: GitServer;
  let side: TestHttpSide;
  let machine: PersonsMachine;
  before(async () => {
    server = await GitServer.start();
    side = await TestHttpSide.start({ gitHosts: [server.host] });
    side.boxes.authorities = server.ca;
    machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: side.url, SPOON_TOKEN: await side.tokenOf('ada') };
    server.repository('api', { 'README.md': 'hello\n' });
    await spoonctl('threads', 'new', 'api', 'main', '--url', server.url('api.git'));
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await side[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const spoonctl = async (...args: string[]) => {
    const { code, stdout, stderr } = await machine.run(args);
    return { code, stdout: stdout.toString(), stderr };
  };
  const idOf = (stdout: string) => /job ([0-9a-f]{8})/.exec(stdout)?.[1] ?? assert.fail(stdout);

  it('runs and follows one to its end, which the exit code tells', async () => {
    const done = await spoonctl(
      'jobs',
      'run',
      'api/main',
      '--follow',
      'printf "\\033[31mred\\033[0m\\n"; echo new > new.txt',
    );
    assert.equal(done.code, 0, done.stderr);
    assert.equal(done.stdout, 'red\n', 'in a pipe, plain text');
    assert.match(done.stderr, /^spoonctl: Job [0-9a-f]{8} in api\/main\. Ctrl-C leaves it running\.\n/);
    assert.match(done.stderr, /done after \d+ s\. Changes: 1 file \+1 -0\.\n$/);
    const failed = await spoonctl('jobs', 'run', 'api/main', '--follow', 'exit 4');
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /failed \(4\) after \d+ s\. sh ended with exit code 4\./);
  });

  it('shows what is kept: a list, details, the log as text, the diff, what it was asked', async () => {
    const piped = await machine.run(
      ['jobs', 'run', 'api/main', '--time-limit', '30s'],
      'echo hay\necho more >> README.md\n',
    );
    assert.match(piped.stdout.toString(), /^(starting|running|next in line): job /);
    const id = idOf(piped.stdout.toString());
    assert.equal((await spoonctl('jobs', 'log', id, '--follow')).code, 0);
    assert.equal((await spoonctl('jobs', 'log', id)).stdout, 'hay\n');
    assert.equal((await spoonctl('jobs', 'logs', id, '--raw')).stdout, 'hay\r\n');
    assert.match(
      (await spoonctl('jobs', 'ls')).stdout,
      new RegExp(`^JOB +STATE .*\\n${id} +done after \\d+ s +api/main .*echo hay\\n`),
    );
    const shown = (await spoonctl('jobs', 'show', id)).stdout;
    assert.match(shown, /^Limit +30 s$/m);
    assert.match(shown, /^ {2}README\.md \+1 -0$/m);
    assert.match(shown, /\necho hay\necho more >> README\.md\n\n?$/);
    assert.match((await spoonctl('jobs', 'diff', id)).stdout, /^\+more$/m);
    assert.match(
      (await spoonctl('jobs', 'search', 'HAY')).stdout,
      new RegExp(`^${id}:prompt: echo hay\\n${id}:1: hay\\n`),
    );
    assert.equal((await spoonctl('jobs', 'search', 'no such text anywhere')).code, 1);
    const { jobs } = JSON.parse((await spoonctl('jobs', 'list', '--json')).stdout) as JobList;
    const details = JSON.parse((await spoonctl('jobs', 'show', id, '--json')).stdout) as JobDetails;
    assert.deepEqual(details.job, jobs[0]);
  });

  it('leaves it running on Ctrl-C and says so; cancel ends it, retry asks again', async () => {
    const child = spawn(
      process.execPath,
      [spoonctlFile, 'jobs', 'run', 'api/main', '-f', 'echo up; while [ ! -e ~/go ]; do sleep 0.05; done'],
      {
        env: machine.fullEnv,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const up = Promise.withResolvers<void>();
    child.stdout.on('data', (chunk) => String(chunk).includes('up') && up.resolve());
    await up.promise;
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await exited, [130, null]);
    assert.match(
      said,
      /The job runs on\. Watch it: spoonctl jobs log [0-9a-f]{8} --follow\. End it: spoonctl jobs cancel /,
    );
    const id = /cancel ([0-9a-f]{8})/.exec(said)?.[1] ?? '';
    const running = JSON.parse((await spoonctl('jobs', 'show', id, '--json')).stdout) as JobDetails;
    assert.equal(running.job.state, 'running');
    assert.equal((await spoonctl('jobs', 'rm', id)).code, 5);
    const waits = JSON.parse((await spoonctl('jobs', 'run', 'api/main', 'true', '--json')).stdout) as Job;
    assert.deepEqual([waits.state, waits.ahead], ['queued', 0]);
    assert.match((await spoonctl('jobs', 'cancel', id)).stdout, /cancelling\.\n$/);
    const seen = await spoonctl('jobs', 'log', id, '--follow');
    assert.deepEqual([seen.code, seen.stdout], [1, 'up\n']);
    assert.match(seen.stderr, /cancelled\./);
    assert.equal((await spoonctl('jobs', 'log', waits.id, '-f')).code, 0);
    writeFileSync(join(side.boxes.homeOf('ada'), 'go'), '');
    const again = await spoonctl('jobs', 'retry', id, '--follow', '--json');
    const ended = JSON.parse(again.stdout) as Job;
    assert.deepEqual([again.code, ended.state, ended.retryOf?.startsWith(id)], [0, 'succeeded', true]);
    assert.match((await spoonctl('jobs', 'rm', '--all')).stdout, /^Forgot \d+\.\n$/);
    assert.match((await spoonctl('jobs', 'list')).stdout, /^There are none\./);
  });

  it('says what is wrong with what was typed', async () => {
    const table: [string[], number, RegExp][] = [
      [['jobs', 'run', 'api/main'], 2, /No prompt/],
      [['jobs', 'run', 'api', 'x'], 2, /is not a thread/],
      [['jobs', 'run', 'api/none', 'x'], 4, /no such thread/],
      [['jobs', 'run', 'api/main', 'x', '--time-limit', '5'], 2, /is no duration/],
      [['jobs', 'log', 'zzz'], 4, /spoonctl jobs list/],
      [['jobs', 'rm'], 2, /Give a job, or --all/],
    ];
    for (const [args, code, said] of table) {
      const done = await spoonctl(...args);
      assert.equal(done.code, code, `${args.join(' ')}: ${done.stderr}`);
      assert.match(done.stderr, said);
    }
    assert.match((await spoonctl('completion', 'bash')).stdout, /' jobs'\) words='run retry list show/);
    assert.ok(existsSync(join(side.boxes.homeOf('ada'), 'Code/api/main')));
  });
});
