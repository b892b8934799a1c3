import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { unixFetch } from '../cli/unixFetch.ts';
import { RunningService } from '../test/runningService.ts';
import { type AbsoluteRow, absoluteRow } from './absolute.ts';
import { type BareAnswers, type RequestKind, requestKinds, type Taken, type Task } from './apiTask.ts';
import { filesPerUser, openFullStore, storedUsers } from './fullStore.ts';
import { spreadOf } from './ratio.ts';

const perSecond = 200;
const seconds = 15;
const rounds = 3;
const goalMs = 20;
/** Of `getconf CLK_TCK`, which is this on every Linux that Node runs on. */
const ticksPerSecond = 100;
const names: Readonly<Record<RequestKind, string>> = {
  list: `list of ${filesPerUser} dotfiles`,
  get: 'get of one dotfile',
  save: 'save of one dotfile',
};

interface Round extends Taken {
  /** Of the server, for each request. */
  readonly cpuMs: number;
}

/**
 * 20 people list, get and save, 200 requests a second in all, against a store of 1,000 × 1,000 dotfiles: what 99 of 100 requests take
 * at most, ms, by kind.
 */
export async function apiLoad(): Promise<AbsoluteRow[]> {
  const { file, key, tokens } = await openFullStore(console.error);
  await using service = await RunningService.start({
    engine: 'process',
    environment: { SPOON_DATABASE_URL: `sqlite:${file}`, SPOON_ENCRYPTION_KEY: key },
  });
  const [token = ''] = tokens;
  const bare = await startBare({ ...(await answersOf(service, token)), log: join(dirname(file), 'bare.log') });
  try {
    const spoon: Round[] = [];
    const floor: Round[] = [];
    const loopDelaysMs: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      await eventLoopDelayMs(service);
      const ofSpoon = await ask({ url: service.url, tokens, perSecond, seconds }, service.pid);
      const loopDelayMs = await eventLoopDelayMs(service);
      const ofBare = await ask({ url: bare.url, tokens, perSecond, seconds }, bare.pid);
      // The first warms both up.
      if (round === 0) continue;
      spoon.push(ofSpoon);
      floor.push(ofBare);
      loopDelaysMs.push(loopDelayMs);
    }
    return requestKinds.map((kind) => rowOf(kind, { spoon, floor, loopDelaysMs }));
  } finally {
    await bare.stop();
  }
}

function rowOf(kind: RequestKind, measured: { spoon: Round[]; floor: Round[]; loopDelaysMs: number[] }): AbsoluteRow {
  const { spoon, floor, loopDelaysMs } = measured;
  const medianOf = (values: readonly number[]) => spreadOf(values).median.toFixed(1);
  const all = spoon.flatMap(({ taken }) => taken[kind]);
  const details = [`p50 ${quantile(all, 0.5).toFixed(1)} ms, max ${Math.max(...all).toFixed(0)} ms of ${all.length}`];
  if (kind === 'list') {
    details.push(
      `${medianOf(spoon.map((one) => one.perSecond))} requests/s reached; ${medianOf(spoon.map(({ cpuMs }) => cpuMs))} ms of a processor for each (bare server ${medianOf(floor.map(({ cpuMs }) => cpuMs))})`,
      `event loop late by p99 ${medianOf(loopDelaysMs)} ms in the service, ${medianOf(spoon.map(({ loopDelayMs }) => loopDelayMs))} ms in the client; load ${loadavg()[0]?.toFixed(1)}`,
    );
  }
  return absoluteRow({
    name: `${names[kind]}, p99 at ${perSecond} requests/s, ${storedUsers.toLocaleString('en')} users`,
    goal: goalMs,
    unit: 'ms',
    spoon: spreadOf(spoon.map(({ taken }) => quantile(taken[kind], 0.99))),
    floor: { name: 'a bare node:http server', spread: spreadOf(floor.map(({ taken }) => quantile(taken[kind], 0.99))) },
    details,
  });
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export async function ask(task: Task, server: number): Promise<Round> {
  const before = await cpuMsOf(server);
  const client = spawn(process.execPath, [join(import.meta.dirname, 'apiClient.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  client.stdin.end(JSON.stringify(task));
  const [output, [code]] = await Promise.all([text(client.stdout), once(client, 'exit')]);
  assert.equal(code, 0, 'the client ends well');
  const taken: Taken = JSON.parse(output);
  // With the lists by which each person starts.
  const count = task.tokens.length + requestKinds.reduce((sum, kind) => sum + taken.taken[kind].length, 0);
  return { ...taken, cpuMs: ((await cpuMsOf(server)) - before) / count };
}

async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000;
}

/** p99 since the last call: how much later than asked for the loop of the service came to its timers. */
async function eventLoopDelayMs(service: RunningService): Promise<number> {
  const operator = unixFetch(join(service.workdir, 'admin', 'admin.sock'));
  const metrics = await (await operator('http://localhost/metrics', {})).text();
  const match = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(metrics);
  return Number(match?.[1]) * 1000 - metricsTimerMs;
}

/** prom-client's histogram counts the whole wait for a timer of so long. */
const metricsTimerMs = 10;

async function answersOf(service: RunningService, token: string): Promise<Omit<BareAnswers, 'log'>> {
  const headers = { authorization: `Bearer ${token}` };
  const list = await (await fetch(`${service.url}/v1/dotfiles`, { headers })).text();
  const [dotfile] = (JSON.parse(list) as { dotfiles: { path: string }[] }).dotfiles;
  assert(dotfile);
  const answer = await fetch(`${service.url}/v1/dotfiles/content?path=${dotfile.path}`, { headers });
  return {
    list,
    get: await answer.text(),
    save: JSON.stringify({ dotfile, applied: { state: 'boxOff' }, warnings: [] }),
  };
}

async function startBare(answers: BareAnswers): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const server: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'bareServer.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  assert(server.stdout && server.stdin && server.pid);
  server.stdin.end(JSON.stringify(answers));
  const [url] = (await once(createInterface(server.stdout), 'line')) as [string];
  return {
    url,
    pid: server.pid,
    stop: async () => {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
      await rm(answers.log, { force: true });
    },
  };
}
