import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { RunningService, type TestUser, testEngines } from '../runningService.ts';

const saves = 1_000;
const writers = 8;
const kills = 5;

for (const engine of testEngines) {
  describe(`a service that is killed (${engine})`, () => {
    it('loses no acknowledged save, keeps its database whole and finds its boxes again', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await service.addUser('Ada');
      const before = await service.inBox(ada, 'bash', '-c', 'setsid sleep 1000 >/dev/null 2>&1 & echo $!');
      const acknowledged = new Map<string, string>();
      let next = 0;
      let killing = Promise.resolve();
      const writer = async () => {
        for (;;) {
          const number = next++;
          if (number >= saves) return;
          if (number > 0 && number % Math.floor(saves / (kills + 1)) === 0) {
            // In the middle of what the other writers are doing.
            killing = killing.then(async () => {
              await service.kill('SIGKILL');
              await service.launch();
            });
          }
          await save(service, ada, `.many/file-${number}`, `content of ${number}\n`, acknowledged, () => killing);
        }
      };
      await Promise.all(Array.from({ length: writers }, writer));
      await killing;
      assert.equal(acknowledged.size, saves);
      for (const [path, content] of acknowledged) {
        const answer = await service.fetch(ada, `/v1/dotfiles/content?path=${encodeURIComponent(path)}`);
        assert.equal(await answer.text(), content, path);
      }
      assert.equal(await service.inBox(ada, 'kill', '-0', before), '', 'the process in the box lived through it');
      await service.fetch(ada, '/v1/box/apply', { method: 'POST' });
      assert.equal(await service.inBox(ada, 'bash', '-c', 'cat ~/.many/* | wc -l'), String(saves));
      await service.kill('SIGTERM');
      const database = new DatabaseSync(join(service.workdir, 'spoon.db'), { readOnly: true });
      assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
      database.close();
    });
  });
}

/** Repeats a save until the service has answered it, as a client does whose connection broke. */
async function save(
  service: RunningService,
  user: TestUser,
  path: string,
  content: string,
  acknowledged: Map<string, string>,
  back: () => Promise<void>,
): Promise<void> {
  for (;;) {
    try {
      const answer = await service.fetch(user, `/v1/dotfiles/content?path=${encodeURIComponent(path)}`, {
        method: 'PUT',
        body: content,
        headers: { 'content-type': 'application/octet-stream' },
      });
      // 428: an earlier try was committed, only its answer was lost.
      if (answer.status === 200 || answer.status === 428) {
        acknowledged.set(path, content);
        return;
      }
      assert([429, 503].includes(answer.status), `${answer.status} ${await answer.text()}`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch's word for a broken connection
    }
    await back();
  }
}
