import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Box } from '../../protocol/boxes.ts';
import { RunningService, testEngines } from '../runningService.ts';

// At once: each waits for what takes its time.
describe('a box whose daemon its user ends from inside', { concurrency: true }, () => {
  for (const engine of testEngines) {
    for (const [what, signal, after] of [
      ['killed', 'KILL', 'comes back in a new box'],
      ['frozen', 'STOP', 'goes on, with all that runs in it'],
    ]) {
      it(`${after} when it was ${what} (${engine})`, async () => {
        await using service = await RunningService.start({ engine });
        const ada = await service.addUser('Ada');
        await service.inBox(ada, 'bash', '-c', 'echo mine > notes.txt');
        const startedMs = async () => ((await (await service.fetch(ada, '/v1/box')).json()) as Box).startedMs;
        const before = await startedMs();
        // In the background and a moment later, so that this command itself still gets its answer.
        const attack = `setsid bash -c "sleep 0.3; kill -${signal} $PPID" </dev/null >/dev/null 2>&1 & echo $PPID`;
        const daemon = await service.inBox(ada, 'bash', '-c', attack);
        assert.match(daemon, /^\d+$/);
        await delay(600);
        assert.equal(await service.inBox(ada, 'cat', 'notes.txt'), 'mine');
        assert.equal((await startedMs()) === before, signal === 'STOP');
      });
    }
  }
});
