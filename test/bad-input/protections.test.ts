import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { protectionGroups } from '../fixtures/protections.fixture.ts';

const run = promisify(execFile);
const pathOf = (fixture: string) => fileURLToPath(new URL(`../fixtures/${fixture}.fixture.ts`, import.meta.url));

/** `authorisation.test.ts` finds no hole; that means something only if it finds one that is there. */
describe('a service without some of its protections has holes that are found', { timeout: 200_000 }, () => {
  for (const [group, { protections }] of Object.entries(protectionGroups)) {
    it(group, async () => {
      const { stdout } = await run(process.execPath, ['--import', pathOf('protectionsOff'), pathOf('findHoles')], {
        env: { ...process.env, SPOON_TEST_PROTECTIONS_OFF: group },
      });
      const holes = stdout.split('\n');
      for (const [name, { hole }] of Object.entries(protections)) {
        assert.ok(
          holes.some((found) => hole.test(found)),
          `${name} is missed by nobody:\n${stdout}`,
        );
      }
    });
  }
});
