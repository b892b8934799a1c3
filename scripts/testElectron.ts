// `npm run test:electron [version]`: the suite of test/vscode in a desktop VS Code that @vscode/test-electron downloads,
// the oldest one that `engines` allows by default. Needs a display (or xvfb-run) and the way to Microsoft's servers.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RunningService } from '../test/runningService.ts';
import { bundleSuite } from '../test/vscode/suiteBundle.ts';
import { buildExtension } from './buildExtension.ts';
import { cacheFolder } from './provision/cacheFolder.ts';
import { mustRun } from './runCommand.ts';

const root = dirname(import.meta.dirname);
const runner = '@vscode/test-electron@3.1.0';

interface TestElectron {
  runTests(options: {
    version: string;
    extensionDevelopmentPath: string;
    extensionTestsPath: string;
    extensionTestsEnv: Record<string, string>;
    launchArgs: string[];
  }): Promise<number>;
}

/** Kept outside the repository: only this command needs it, and only where a VS Code can be downloaded. */
async function testElectron(): Promise<TestElectron> {
  const folder = join(cacheFolder(), 'test-electron-3.1.0');
  const installed = join(folder, 'node_modules/@vscode/test-electron');
  if (!existsSync(installed)) {
    await mkdir(folder, { recursive: true });
    await mustRun('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', runner]);
  }
  return createRequire(import.meta.url)(installed) as TestElectron;
}

async function oldestVersion(): Promise<string> {
  const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { engines: { vscode: string } };
  return engines.vscode.replace('^', '');
}

const version = process.argv[2] ?? (await oldestVersion());
const { runTests } = await testElectron();
await buildExtension({ development: true });
const extensionTestsPath = await bundleSuite();
const folder = await mkdtemp(join(tmpdir(), 'spoon-electron-'));
await using service = await RunningService.start({ engine: 'process' });
const { token } = await service.addUser('Ada Lovelace');
try {
  console.log(`VS Code ${version}`);
  process.exitCode = await runTests({
    version,
    extensionDevelopmentPath: root,
    extensionTestsPath,
    extensionTestsEnv: { SPOON_TEST_URL: service.url, SPOON_TEST_TOKEN: token, SPOON_TEST_FOLDER: folder },
    launchArgs: [folder, '--disable-workspace-trust', '--user-data-dir', join(folder, 'data')],
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
