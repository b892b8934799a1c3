// `npm test`: the checks, then every test, with what they need brought up first and taken down afterwards.
// `npm test -- service/keyring` runs the tests whose path contains that, without the checks.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';
import { cacheFolder } from './provision/cacheFolder.ts';
import { ensureDebianImage, removeOldImages } from './provision/debianImage.ts';
import { startTestEngine } from './provision/docker.ts';
import { ensureBusybox, ensurePlainDebian, ensureServiceBase } from './provision/plainImages.ts';
import { ensurePrograms } from './provision/systemPackages.ts';
import { provisionChromium, provisionVscode } from './provision/vscode.ts';
import { mustRun } from './runCommand.ts';
import { runTests, type TestCounts } from './test/runTests.ts';
import { findTestFiles, marksFound, splitAlone } from './test/testFiles.ts';
import { endProcesses, findStragglers, newTraces, readMachine } from './test/traces.ts';
import { installExtension } from './vscodeServer.ts';

const root = dirname(import.meta.dirname);
const filters = process.argv.slice(2);
const say = (text: string): void => console.log(text);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

/** What tests need beyond Node, by the marks in their text that tell it. A variable set by hand is used as it is. */
interface Need {
  readonly marks: readonly string[];
  provide(stack: AsyncDisposableStack): Promise<void>;
}

const needs: Need[] = [
  {
    marks: ['SPOON_TEST_DOCKER_HOST', 'SPOON_TEST_IMAGE'],
    async provide(stack) {
      const engine =
        process.env.SPOON_TEST_DOCKER_HOST === undefined ? stack.use(await startTestEngine(say)) : undefined;
      if (engine !== undefined) {
        process.env.SPOON_TEST_DOCKER_HOST = engine.host;
        process.env.SPOON_TEST_DOCKER_NETWORK = engine.networkNamespace;
      }
      const docker = new Docker({ socketPath: process.env.SPOON_TEST_DOCKER_HOST?.replace('unix://', '') });
      process.env.SPOON_TEST_IMAGE ??= await ensureDebianImage(docker, say);
      if (engine !== undefined) await removeOldImages(docker);
      say(`Docker engine ${process.env.SPOON_TEST_DOCKER_HOST} with ${process.env.SPOON_TEST_IMAGE}`);
    },
  },
  {
    // Images as people bring them. Before the tests, for the same reason as below.
    marks: ['ensurePlainDebian'],
    async provide() {
      const docker = new Docker({ socketPath: process.env.SPOON_TEST_DOCKER_HOST?.replace('unix://', '') });
      await ensurePlainDebian(docker, say);
      await ensureBusybox(docker, say);
    },
  },
  {
    marks: ['ensureServiceBase'],
    async provide() {
      const docker = new Docker({ socketPath: process.env.SPOON_TEST_DOCKER_HOST?.replace('unix://', '') });
      await ensureServiceBase(docker, say);
    },
  },
  {
    // As one file, as it is deployed, it starts in half of the time.
    marks: ['SPOON_TEST_SERVICE'],
    async provide() {
      const folder = join(root, 'dist', 'test', 'service');
      await mustRun(process.execPath, [join(root, 'scripts/packService.ts'), folder], { cwd: root });
      process.env.SPOON_TEST_SERVICE = join(folder, 'service', 'main.mjs');
    },
  },
  {
    // What is run in boxes that are processes of this machine, and for them.
    marks: ['runningService.ts', 'gitServer.ts'],
    provide: () =>
      ensurePrograms(
        [
          { file: 'git', debianPackage: 'git' },
          { file: 'vi', debianPackage: 'vim-tiny' },
          { file: 'openssl', debianPackage: 'openssl' },
        ],
        say,
      ),
  },
  {
    marks: ['layouts.fixture.ts'],
    provide: () => ensurePrograms([{ file: 'stow', debianPackage: 'stow' }], say),
  },
  {
    marks: ['sshServer.ts'],
    provide: () => ensurePrograms([{ file: 'sshd', debianPackage: 'openssh-server' }], say),
  },
  {
    marks: ['processEngineUnderTest'],
    // Its unprivileged way is tried too, by another user.
    provide: () => ensurePrograms([{ file: 'bwrap', debianPackage: 'bubblewrap' }], say),
  },
  {
    marks: ['provisionVscode'],
    // Before the tests, which bring them too: two at once would meet in apt-get's lock.
    async provide() {
      await provisionVscode(say);
      await provisionChromium(say);
    },
  },
  {
    marks: ['SPOON_TEST_EXTENSIONS'],
    // Packaging and installing take 5 s of a processor, and every window gets the same.
    async provide() {
      // In a process of its own: it leaves esbuild's running.
      await mustRun(process.execPath, [join(root, 'scripts/buildExtension.ts'), '--package'], { cwd: root });
      const vsix = join(root, 'dist', 'spoon.vsix');
      const extensionsFolder = join(temporary, 'extensions');
      const dataFolder = join(temporary, 'installer');
      await installExtension(await provisionVscode(say), { vsix, extensionsFolder, dataFolder });
      process.env.SPOON_TEST_EXTENSIONS = extensionsFolder;
    },
  },
];

/** The slowest file of ours is a day in VS Code, 75 s on a quiet machine. */
const unattended = { retries: 6, limitsMs: { test: 240_000, file: 600_000 } };
/** Whoever asks for files by name wants to see them fail, perhaps on a busy machine, and can end what hangs. */
const watched = { retries: 0, limitsMs: { test: 420_000, file: 1_800_000 } };

async function main(): Promise<TestCounts> {
  const files = await findTestFiles(root, filters);
  if (files.length === 0) throw new Error(`No test file has "${filters.join('" or "')}" in its path.`);
  if (filters.length === 0) {
    const checks = spawnSync(process.execPath, [join(root, 'scripts/check.ts')], { stdio: 'inherit' });
    if (checks.status !== 0) throw new Error('The checks failed, so no test was run.');
  }
  await using stack = new AsyncDisposableStack();
  const found = await marksFound(
    root,
    files,
    needs.flatMap(({ marks }) => marks),
  );
  await mustRun(process.execPath, [join(root, 'scripts/buildBoxd.ts')], { cwd: root });
  process.env.SPOON_TEST_BOXD = join(root, 'dist', 'boxd', 'boxd.js');
  for (const need of needs) if (need.marks.some((mark) => found.has(mark))) await need.provide(stack);
  return await runTests(splitAlone(files), {
    root,
    temporary,
    signal: interrupted.signal,
    ...(filters.length === 0 ? unattended : watched),
  });
}

/** The tests' own temporary folder and mark: whatever is found with them afterwards, the tests have left. */
const temporary = await mkdtemp(join(tmpdir(), 'spoon-test-'));
// Tests run daemons as other users, who must get to the folders that are theirs below it.
await chmod(temporary, 0o711);
const mark = `SPOON_TEST_RUN=${randomUUID()}`;
process.env.TMPDIR = temporary;
// Every file of tests and every service of theirs is a process, and most are of the same modules.
process.env.NODE_COMPILE_CACHE = join(temporary, 'compiled');
process.env.SPOON_TEST_RUN = mark.slice('SPOON_TEST_RUN='.length);
const before = await readMachine();

let counts: TestCounts = { passed: 0, failed: 0, skipped: 0, emptyFiles: [], failedFiles: [], flakyFiles: [] };
const problems: string[] = [];
try {
  counts = await main();
} catch (error) {
  problems.push(error instanceof Error ? error.message : String(error));
}

const stragglers = await findStragglers(mark, temporary);
problems.push(...stragglers.map(({ pid, command }) => `left behind: process ${pid} (${command}); ended now`));
endProcesses(stragglers);
const traces = newTraces(before, await readMachine(), [temporary, cacheFolder()]);
problems.push(...traces.map((trace) => `left behind: ${trace}`));
if (traces.length === 0) await rm(temporary, { recursive: true, force: true });
problems.push(...counts.emptyFiles.map((file) => `${file} ran no test`));
if (counts.skipped > 0) problems.push(`${counts.skipped} tests were skipped; here every test runs`);
if (interrupted.signal.aborted) problems.push('interrupted');
if (counts.passed + counts.failed === 0 && problems.length === 0) problems.push('no test was run');

const seconds = (performance.now() / 1000).toFixed(0);
const failed = counts.failed + problems.length;
console.log(`\n${seconds} s.${failed > 0 ? ' Not well:' : ''}`);
for (const file of counts.failedFiles) console.log(`✘ failed: ${file}`);
for (const problem of problems) console.log(`✘ ${problem}`);
for (const file of counts.flakyFiles)
  console.log(`flaky: ${file} failed, and passed by itself; both are above in full`);
// The last line counts what is not well beside the tests as failed, so that it never says that all is well when it is not.
const flaky = counts.flakyFiles.length > 0 ? `, ${counts.flakyFiles.length} flaky` : '';
console.log(`${counts.passed} passed, ${failed} failed${flaky}`);
process.exit(failed > 0 ? 1 : 0);
