import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { VscodeServer } from './provision/vscode.ts';
import { mustRun } from './runCommand.ts';

/** Starts the VS Code server of `provision/vscode.ts` on a free loopback port, behind a token of its own. */

export interface ServerOptions {
  readonly server: VscodeServer;
  /** Holds the user's settings, state and the server's log. */
  readonly dataFolder: string;
  readonly extensionsFolder: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /**
   * Reads development keys from the address (extension path, test path) and so runs test suites; it also hides
   * notification toasts, so a UI suite must do without.
   */
  readonly smokeTestDriver?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RunningVscode extends AsyncDisposable {
  /** Opens the workbench; whoever has it has a shell on this machine. */
  address(query?: Record<string, string>): string;
  readonly pid: number;
  readonly log: string;
}

const startTimeoutMs = 30_000;

/** What makes the workbench quiet: nothing that phones home, asks, or covers the view. */
export const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.reduceMotion': 'on',
  'editor.cursorBlinking': 'solid',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'telemetry.telemetryLevel': 'off',
  'workbench.enableExperiments': false,
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'security.workspace.trust.enabled': false,
  'git.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'remote.autoForwardPorts': false,
} as const;

/** @throws Error with the server's log when it does not come up */
export async function startVscodeServer(options: ServerOptions): Promise<RunningVscode> {
  const { server, dataFolder, extensionsFolder } = options;
  const userFolder = join(dataFolder, 'data', 'User');
  await mkdir(userFolder, { recursive: true, mode: 0o700 });
  await mkdir(extensionsFolder, { recursive: true });
  await writeFile(join(userFolder, 'settings.json'), JSON.stringify(options.settings, null, 2));
  const log = join(dataFolder, 'server.log');
  const token = randomBytes(24).toString('hex');
  const tokenFile = join(dataFolder, 'connection-token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const port = await freePort();
  const args = [
    server.main,
    ...['--host', '127.0.0.1', '--port', String(port), '--connection-token-file', tokenFile],
    ...['--server-data-dir', dataFolder, '--user-data-dir', join(dataFolder, 'data')],
    ...['--extensions-dir', extensionsFolder, '--accept-server-license-terms'],
    ...['--disable-telemetry', '--disable-workspace-trust'],
    ...(options.smokeTestDriver === true ? ['--enable-smoke-test-driver'] : []),
  ];
  // Started from a terminal, whose environment it has: else it asks a login shell, with each extension host and for terminals.
  const environment: NodeJS.ProcessEnv = { ...process.env, VSCODE_CLI: '1', ...options.environment };
  // Set in a VS Code terminal; the server would take itself for that window's command line.
  delete environment.VSCODE_IPC_HOOK_CLI;
  const output = await open(log, 'w');
  // A group of its own, so that stopping it takes the extension hosts and terminals along.
  const child = spawn(server.node, args, {
    stdio: ['ignore', output.fd, output.fd],
    env: environment,
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await output.close();
  const pid = child.pid;
  if (pid === undefined) throw new Error('The VS Code server did not start.');
  const stop = async (): Promise<void> => {
    signalGroup(pid, 'SIGTERM');
    await Promise.race([ended, delay(3000, undefined, { ref: false })]);
    signalGroup(pid, 'SIGKILL');
    await ended;
  };
  const deadline = Date.now() + startTimeoutMs;
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`The VS Code server did not start:\n${(await readFile(log, 'utf8')).slice(-4000)}`);
    }
    await delay(50);
  }
  return {
    pid,
    log,
    address: (query = {}) => `http://127.0.0.1:${port}/?${new URLSearchParams({ tkn: token, ...query })}`,
    [Symbol.asyncDispose]: stop,
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the whole group is gone, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/version', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Puts a packaged extension where {@link startVscodeServer} finds it. @throws Error with what the installer said */
export async function installExtension(
  server: VscodeServer,
  { vsix, extensionsFolder, dataFolder }: { vsix: string; extensionsFolder: string; dataFolder: string },
): Promise<void> {
  const args = [server.main, '--install-extension', vsix, '--extensions-dir', extensionsFolder];
  args.push('--server-data-dir', dataFolder, '--accept-server-license-terms');
  await mustRun(server.node, args);
}
