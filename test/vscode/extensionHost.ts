import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { chromium } from 'playwright-core';
import { provisionChromium, provisionVscode } from '../../scripts/provision/vscode.ts';
import { quietSettings, startVscodeServer } from '../../scripts/vscodeServer.ts';

/** Runs a Mocha suite inside a real extension host, the way `@vscode/test-electron` does. */

export const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // VS Code makes many errors for their stacks, and V8 otherwise compiles a function once more to tell its lines.
  '--js-flags=--no-enable-lazy-source-positions',
];

export interface HostRun {
  readonly extension: string;
  /** A CommonJS file that exports `run(): Promise<SuiteResult>`. */
  readonly suite: string;
  readonly folder?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface SuiteResult {
  readonly passed: number;
}

export type Verdict =
  | { readonly ok: true; readonly result: SuiteResult }
  | { readonly ok: false; readonly why: string };

const noise =
  /AgentHost|ChatModelSelection|AccountPolicyGate|connection token|Creating a socket|open-vsx|Service ?Worker|additional builtin|grace time|authentication provider 'github'/i;

/**
 * The verdict counts only when it was written by the suite itself: VS Code reports exit code 0 also when the extension
 * host dies in the middle of a test.
 */
export async function runInExtensionHost(run: HostRun): Promise<Verdict & { readonly output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'spoon-host-'));
  const output: string[] = [];
  try {
    const verdictFile = join(folder, 'verdict.json');
    const entry = join(folder, 'entry');
    await mkdir(entry);
    await writeFile(join(entry, 'index.js'), entrySource(run.suite, verdictFile));
    const code = await runWorkbench(run, { folder, entry, say: (line) => output.push(line) });
    const verdict = await readVerdict(verdictFile, code);
    return { ...verdict, output: output.join('\n') };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error), output: output.join('\n') };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

function entrySource(suite: string, verdictFile: string): string {
  return `
const { writeFileSync } = require('node:fs');
exports.run = async () => {
  let verdict;
  try {
    verdict = { ok: true, result: await require(${JSON.stringify(suite)}).run() };
    if (!(verdict.result.passed > 0)) verdict = { ok: false, why: 'The suite ran no test.' };
  } catch (error) {
    verdict = { ok: false, why: String(error?.stack ?? error) };
  }
  writeFileSync(${JSON.stringify(verdictFile)}, JSON.stringify(verdict));
  if (!verdict.ok) throw new Error(verdict.why);
};
`;
}

async function readVerdict(file: string, code: number): Promise<Verdict> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return { ok: false, why: `The extension host ended (code ${code}) before the suite did.` };
  const verdict = JSON.parse(text) as Verdict;
  return verdict.ok && code !== 0 ? { ok: false, why: `VS Code ended with code ${code}.` } : verdict;
}

interface WorkbenchRun {
  readonly folder: string;
  readonly entry: string;
  readonly say: (line: string) => void;
}

async function runWorkbench(run: HostRun, { folder, entry, say }: WorkbenchRun): Promise<number> {
  const server = await provisionVscode(say);
  const executablePath = await provisionChromium(say);
  await using vscode = await startVscodeServer({
    server,
    dataFolder: join(folder, 'server'),
    extensionsFolder: join(folder, 'extensions'),
    settings: { ...quietSettings, ...run.settings },
    environment: run.environment ?? {},
    smokeTestDriver: true,
  });
  const browser = await chromium.launch({ executablePath, args: chromiumArguments });
  try {
    const page = await browser.newPage();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const timeoutMs = run.timeoutMs ?? 120_000;
    const timer = setTimeout(() => reject(new Error(`The suite did not end within ${timeoutMs} ms.`)), timeoutMs);
    page.on('crash', () => reject(new Error('The page crashed.')));
    await page.exposeFunction('codeAutomationLog', (type: string, parts: unknown[]) => {
      const line = format(...parts);
      if (!noise.test(line)) say(type === 'info' || type === 'log' ? line : `[${type}] ${line}`);
    });
    await page.exposeFunction('codeAutomationExit', (code: number) => resolve(code));
    const remote = (path: string): string => `vscode-remote://remote${path}`;
    const payload = [
      ['extensionDevelopmentPath', remote(run.extension)],
      ['extensionTestsPath', remote(entry)],
      ['skipWelcome', 'true'],
    ];
    const opened: Record<string, string> = run.folder === undefined ? { ew: 'true' } : { folder: run.folder };
    await page.goto(vscode.address({ ...opened, payload: JSON.stringify(payload) }));
    return await promise.finally(() => clearTimeout(timer));
  } finally {
    await browser.close();
  }
}
