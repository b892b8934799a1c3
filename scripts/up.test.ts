import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { findStragglers } from './test/traces.ts';

interface UpLine {
  readonly url: string;
  readonly token: string;
  readonly username: string;
  readonly engine: string;
  readonly pid: number;
}

describe('npm run up', () => {
  let folder: string;
  const started: ChildProcess[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-up-'));
  });
  after(async () => {
    for (const child of started) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  function run(settings: NodeJS.ProcessEnv = {}): ChildProcess {
    const env: NodeJS.ProcessEnv = {
      PATH: process.env.PATH,
      HOME: folder,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'user.name',
      GIT_CONFIG_VALUE_0: 'Zoë Quux',
      SPOON_AGENT_WORKDIR: join(folder, 'work'),
      SPOON_ENGINE: 'process',
      SPOON_LISTEN: '127.0.0.1:0',
      ...settings,
    };
    const up = join(import.meta.dirname, 'up.ts');
    const child = spawn(process.execPath, [up, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    started.push(child);
    return child;
  }

  async function readyLine(child: ChildProcess): Promise<UpLine> {
    const words = collect(child.stderr);
    const [line] = await Promise.race([
      once(createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }), 'line') as Promise<[string]>,
      once(child, 'exit').then(() => assert.fail(`up ended: ${words.join('')}`)),
    ]);
    return JSON.parse(line) as UpLine;
  }

  function collect(stream: NodeJS.ReadableStream | null): string[] {
    const chunks: string[] = [];
    stream?.on('data', (chunk) => chunks.push(String(chunk)));
    return chunks;
  }

  async function refusal(settings: NodeJS.ProcessEnv): Promise<{ code: number; words: string }> {
    const child = run(settings);
    const words = collect(child.stderr);
    const [code] = (await once(child, 'close')) as [number];
    return { code, words: words.join('') };
  }

  async function interrupt(child: ChildProcess): Promise<void> {
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  }

  it('is the same service with the same user each time, and leaves nothing running', async () => {
    const first = run();
    const line = await readyLine(first);
    assert.deepEqual(Object.keys(line), ['url', 'token', 'username', 'engine', 'pid']);
    assert.deepEqual([line.username, line.engine, line.pid], ['zoe', 'process', first.pid]);
    const me = await fetch(`${line.url}/v1/me`, { headers: { authorization: `Bearer ${line.token}` } });
    assert.equal(me.status, 200);
    const key = join(folder, '.config', 'spoon', 'local.key');
    assert.equal((await stat(key)).mode & 0o777, 0o600);
    const credentials = await readFile(join(folder, '.config', 'spoon', 'credentials.json'), 'utf8');
    assert.equal(JSON.parse(credentials).default, line.url);

    const locked = await refusal({});
    assert.equal(locked.code, 75);
    assert.match(locked.words, /SPOON_AGENT_WORKDIR/);
    await interrupt(first);

    const second = run();
    const again = await readyLine(second);
    assert.deepEqual([again.username, again.token], [line.username, line.token]);
    await interrupt(second);
    assert.deepEqual(await findStragglers(`HOME=${folder}`, folder), []);
  });

  it('takes its service along when it is killed', async () => {
    const child = run({ SPOON_AGENT_WORKDIR: join(folder, 'killed') });
    const { url } = await readyLine(child);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // The kernel ends the service; its address answers nobody from then on.
    const signal = AbortSignal.timeout(10_000);
    for (;;) {
      signal.throwIfAborted();
      if (
        await fetch(`${url}/v1/health`, { signal }).then(
          () => false,
          () => true,
        )
      )
        break;
    }
  });

  const named: [string, NodeJS.ProcessEnv, number, RegExp][] = [
    ['a workdir that cannot be made', { SPOON_AGENT_WORKDIR: '/proc/spoon' }, 73, /SPOON_AGENT_WORKDIR/],
    ['a setting that makes no sense', { SPOON_ENGINE: 'podman' }, 78, /SPOON_ENGINE.*podman.*docker/],
    [
      'Docker where there is none',
      { SPOON_ENGINE: 'docker', DOCKER_HOST: 'unix:///nowhere/docker.sock' },
      69,
      /there is no unix:\/\/\/nowhere/,
    ],
  ];
  for (const [what, settings, code, words] of named) {
    it(`refuses ${what}, by name`, async () => {
      const outcome = await refusal(settings);
      assert.equal(outcome.code, code, outcome.words);
      assert.match(outcome.words, words);
      assert.doesNotMatch(outcome.words, /\n +at /);
    });
  }

  it('refuses a port that is taken, by name', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { code, words } = await refusal({
      SPOON_LISTEN: `127.0.0.1:${port}`,
      SPOON_AGENT_WORKDIR: join(folder, 'p'),
    });
    server.close();
    assert.equal(code, 69, words);
    assert.match(words, /SPOON_LISTEN/);
  });
});
