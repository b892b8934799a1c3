import assert from 'node:assert/strict';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { EgressReport } from '../protocol/egress.ts';
import { clientOf } from '../test/boxCommand.ts';
import { RunningService, type TestEngine, type TestUser } from '../test/runningService.ts';
import { type AbsoluteRow, absoluteRow } from './absolute.ts';
import { spreadOf } from './ratio.ts';

const boxCount = 20;
const rounds = 5;
const goalMs = 1_500;
const askAgainMs = 5;
const networkAgainMs = 50;

/**
 * The service is killed while 20 boxes of 20 people run, and started again: from the start of its process until it says that it is
 * ready, ms; and until each box has answered its own user, through the service.
 */
export async function restart(): Promise<AbsoluteRow[]> {
  return [...(await restartOn('docker')), ...(await restartOn('process'))];
}

export async function restartOn(engine: TestEngine): Promise<AbsoluteRow[]> {
  await using service = await RunningService.start({ engine });
  const users: TestUser[] = [];
  for (let count = 1; count <= boxCount; count++) {
    const user = await service.addUser(`Bench ${count}`);
    users.push(user);
    await service.inBox(user, 'true');
  }
  const ready: number[] = [];
  const reachable: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    await service.kill('SIGKILL');
    const startMs = performance.now();
    const launched = service.launch();
    await untilReady(service.url);
    const readyMs = performance.now() - startMs;
    await Promise.all(users.map((user) => answers(service, user)));
    const reachableMs = performance.now() - startMs;
    await launched;
    if (engine === 'docker') await untilNetworkTried(service);
    // The first warms up.
    if (round === 0) continue;
    ready.push(readyMs);
    reachable.push(reachableMs);
  }
  const name = `start → ready with ${boxCount} running boxes, ${engine} engine`;
  const { median, min, max } = spreadOf(reachable);
  const all = `all boxes have answered their users after ${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)}) ms`;
  const details = [all, `load ${loadavg()[0]?.toFixed(1)}`];
  return [absoluteRow({ name, goal: goalMs, unit: 'ms', spoon: spreadOf(ready), details })];
}

async function untilReady(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(new URL('/health/ready', url)).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return;
    await delay(askAgainMs);
  }
}

/** The last work of a start, with a box of its own. A service that is killed before has not run yet, and leaves that box to the next start. */
async function untilNetworkTried(service: RunningService): Promise<void> {
  for (;;) {
    const { checkedMs, failure } = await service.admin<EgressReport>('GET', '/v1/admin/network');
    assert.equal(failure, null, 'the rules of the network are set');
    if (checkedMs !== null) return;
    await delay(networkAgainMs);
  }
}

/** A box that was not taken over would be off, and have no terminals to ask for. */
async function answers(service: RunningService, user: TestUser): Promise<void> {
  const api = clientOf({ url: service.url, token: user.token });
  assert.equal((await api.call('box')).state, 'running');
  await api.call('listTerminals');
}
