import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { buildExtension } from '../../scripts/buildExtension.ts';
import { RunningService } from '../runningService.ts';
import { runInExtensionHost } from './extensionHost.ts';
import { bundleSuite } from './suiteBundle.ts';

const root = join(import.meta.dirname, '../..');

describe('the extension in a real extension host', { timeout: 240_000 }, () => {
  it('passes its suite against the real service', async (test) => {
    await buildExtension({ development: true });
    const suite = await bundleSuite();
    await using service = await RunningService.start({ engine: 'process' });
    const user = await service.addUser('Ada Lovelace');
    const run = await runInExtensionHost({
      extension: root,
      suite,
      environment: { SPOON_TEST_URL: service.url, SPOON_TEST_TOKEN: user.token },
      timeoutMs: 180_000,
    });
    for (const line of run.output.split('\n')) test.diagnostic(line);
    assert.ok(run.ok, run.ok ? '' : run.why);
  });
});
