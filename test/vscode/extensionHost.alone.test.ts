import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { buildExtension } from '../../scripts/buildExtension.ts';
import { RunningService } from '../runningService.ts';
import { runInExtensionHost } from './extensionHost.ts';
import { bundleSuite } from './suiteBundle.ts';

const root = join(import.meta.dirname, '../..');

describe('the verdict of a run in the extension host', { timeout: 240_000 }, () => {
  const suites: [what: string, source: string, why: RegExp][] = [
    ['a suite that cannot be loaded', "throw new Error('cannot be loaded');", /cannot be loaded/],
    ['a suite without tests', 'exports.run = async () => ({ passed: 0 });', /no test/],
    ['a host that ends in the middle', 'exports.run = () => process.exit(0);', /before the suite did/],
  ];
  for (const [what, source, why] of suites) {
    it(`rejects ${what}`, async (test) => {
      await buildExtension();
      const folder = await mkdtemp(join(tmpdir(), 'spoon-suite-'));
      test.after(() => rm(folder, { recursive: true, force: true }));
      const suite = join(folder, 'suite.cjs');
      await writeFile(suite, source);
      const run = await runInExtensionHost({ extension: root, suite, timeoutMs: 60_000 });
      assert.match(run.ok ? 'it was accepted' : run.why, why);
    });
  }
});

describe('the extension in a real extension host', { timeout: 240_000 }, () => {
  it('passes its suite against the real service', async (test) => {
    await buildExtension();
    const suite = await bundleSuite();
    await using service = await RunningService.start({ engine: 'process' });
    const user = await service.addUser('Ada Lovelace');
    const folder = await hostileFolder();
    test.after(() => rm(folder, { recursive: true, force: true }));
    const run = await runInExtensionHost({
      extension: root,
      suite,
      folder,
      environment: { SPOON_TEST_URL: service.url, SPOON_TEST_TOKEN: user.token, SPOON_TEST_FOLDER: folder },
      timeoutMs: 180_000,
    });
    for (const line of run.output.split('\n')) test.diagnostic(line);
    assert.ok(run.ok, run.ok ? '' : run.why);
  });
});

/** A repository that somebody was sent: its settings want another server to have the token. */
async function hostileFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spoon-hostile-'));
  await mkdir(join(folder, '.vscode'));
  const settings = {
    'spoon.service.url': 'https://evil.example.org',
    'spoon.service.requestTimeout': 1,
    'spoon.tls.caFile': '/tmp/evil.pem',
    'spoon.dotfiles.confirmDrop': 'never',
    'spoon.dotfiles.exclude': [],
  };
  await writeFile(join(folder, '.vscode/settings.json'), JSON.stringify(settings));
  return folder;
}
