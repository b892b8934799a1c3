import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { engineConformance } from './engine.conformance.ts';
import { processEngineUnderTest } from './processEngine.conformance.ts';

const isRoot = process.getuid?.() === 0;

engineConformance(processEngineUnderTest(isRoot ? 'namespaces' : 'bubblewrap'));
engineConformance(processEngineUnderTest('plain'));

if (isRoot) {
  describe('Process engine of an account without root', () => {
    it('passes the suite with bubblewrap', async () => {
      // Not nobody, whose processes somebody else may have.
      const uid = 54_321;
      const child = spawn(
        process.execPath,
        [
          '--test',
          '--test-reporter=tap',
          new URL('processEngine.unprivileged.conformance.ts', import.meta.url).pathname,
        ],
        {
          uid,
          gid: uid,
          env: {
            PATH: `${dirname(process.execPath)}:/usr/bin:/bin:/usr/sbin:/sbin`,
            HOME: '/nonexistent',
            TMPDIR: '/tmp',
          },
        },
      );
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          output += chunk;
        });
      }
      const [code] = await once(child, 'exit');
      assert.equal(code, 0, output);
    });
  });
}
