// `npm run up`: a service of one's own on this machine, with a first user and what to do next. Run again, it is the same
// service with the same data. `npm run up -- --json` says one line of JSON on stdout when it is ready; `--browser` opens
// VS Code in a browser, signed in; `--dev` (`npm run dev`) takes up changes of the sources.
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { connectWith } from '../cli/connection.ts';
import { credentialsFile } from '../cli/credentials.ts';
import { unixFetch } from '../cli/unixFetch.ts';
import { ApiClient } from '../client/apiClient.ts';
import { SpoonError } from '../protocol/errors.ts';
import { type Config, readConfig } from '../service/config.ts';
import { exitCodeOf } from '../service/exitCodes.ts';
import { workdirAt } from '../service/workdir.ts';
import { mustRun } from './runCommand.ts';
import { ensureBoxImage } from './up/boxImage.ts';
import { followChanges } from './up/developing.ts';
import { chooseLocalEngine, type DockerSituation } from './up/engineChoice.ts';
import { ensureLocalKey } from './up/localKey.ts';
import { ensureLocalUser, type LocalUser } from './up/localUser.ts';
import { type Ready, type ServiceProcess, ServiceRefused, startServiceProcess } from './up/serviceProcess.ts';
import { prepareVscode } from './up/vscode.ts';

const root = dirname(import.meta.dirname);
const options = readOptions();
const { json } = options;
/** For people; with --json stdout belongs to programs. */
const say = (text: string): void => (json ? console.error(text) : console.log(text));
const dockerTimeoutMs = 2000;

async function up(): Promise<number> {
  const stop = stopSignal();
  // A copy: reading deletes the secrets from what it reads, and the service must still get them.
  const config = readConfig({ ...process.env }, root);
  const credentials = credentialsFile(process.env, homedir());
  const env: NodeJS.ProcessEnv = { ...process.env, SPOON_AGENT_WORKDIR: config.workdir };
  await settleKey(config, env, join(dirname(credentials), 'local.key'));
  const buildBoxd = mustRun(process.execPath, [join(root, 'scripts', 'buildBoxd.ts')]);
  const prepared = await Promise.race([Promise.all([settleEngine(config, env), buildBoxd]), stop]);
  if (prepared === 'stop') return 0;

  const start = (): Promise<ServiceProcess> =>
    startServiceProcess(root, env, {
      logFile: join(config.workdir, 'service.log'),
      onWarning: (text) => say(`  Note: ${text}`),
    });
  let service = await start();
  const operator = new ApiClient({
    url: 'http://localhost',
    token: () => undefined,
    clientId: 'npm-run-up',
    fetch: unixFetch(workdirAt(config.workdir).adminSocket),
  });
  await using opened = new AsyncDisposableStack();
  try {
    const { ready } = service;
    // The same address after a restart, whatever port was asked for.
    env.SPOON_LISTEN = new URL(ready.url).host;
    const user = await ensureLocalUser(ready, credentials, {
      operator,
      connectWith: (token) => connectWith(ready.url, token),
    });
    const browser = options.browser ? await openBrowser(ready, user, opened) : undefined;
    await announce(ready, user, { config, browser });
    if (options.dev) {
      const restart = async (): Promise<void> => {
        await service.stop();
        service = await start();
      };
      await followChanges({ root, restart, say });
    }
    // One that ends while it is being changed has said why; the next change starts it again.
    const code = await Promise.race([options.dev ? stop : service.ended, stop]);
    if (code !== 'stop') {
      say(`The service has ended (${code ?? 'by a signal'}). Its log: ${shown(join(config.workdir, 'service.log'))}`);
      return code ?? 70;
    }
    say('\nStopping: boxes first, then the service. Homes and dotfiles stay…');
    await stopBoxes(operator);
    return 0;
  } finally {
    await service.stop();
  }
}

/** @returns the address of VS Code in a browser, which is closed with `opened` */
async function openBrowser(
  { url }: Ready,
  { token, username }: LocalUser,
  opened: AsyncDisposableStack,
): Promise<string> {
  const { startBrowserVscode } = await import('./browserVscode.ts');
  const vscode = opened.adopt(await startBrowserVscode({ url, token, username, say }), (running) => running.stop());
  return vscode.url;
}

/** The first Ctrl-C stops in order, one more ends at once; two that come together are one (the terminal's, and npm's). */
function stopSignal(): Promise<'stop'> {
  let firstMs: number | undefined;
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        firstMs ??= performance.now();
        if (performance.now() - firstMs > 1000) process.exit(130);
        resolve('stop');
      });
    }
  });
}

async function settleKey(config: Config, env: NodeJS.ProcessEnv, file: string): Promise<void> {
  const { key, keyFile, instanceSecret, instanceSecretFile } = config.key;
  if ([key, keyFile, instanceSecret, instanceSecretFile].some((setting) => setting !== undefined)) return;
  const outcome = await ensureLocalKey(file, config.databaseFile);
  env.SPOON_ENCRYPTION_KEY_FILE = file;
  say(outcome === 'made' ? `Made the key ${file}. Without it nothing stored can be read: back it up.` : `Key: ${file}`);
}

async function settleEngine(config: Config, env: NodeJS.ProcessEnv): Promise<void> {
  const docker = new Docker({ socketPath: config.dockerHost.replace('unix://', '') });
  const situation = config.engine === 'process' ? { version: undefined } : await askDocker(config.dockerHost);
  const imageIsNamed = (process.env.SPOON_AGENT_IMAGE ?? '').trim() !== '';
  const choice = await chooseLocalEngine(config.engine, situation, imageIsNamed, {
    ensureImage: () => ensureBoxImage(docker, config.dockerHost, say),
  });
  env.SPOON_ENGINE = choice.engine;
  if (choice.image !== undefined) env.SPOON_AGENT_IMAGE = choice.image;
  if (choice.note !== undefined) say(choice.note);
}

async function askDocker(host: string): Promise<DockerSituation> {
  const docker = new Docker({ socketPath: host.replace('unix://', ''), timeout: dockerTimeoutMs });
  try {
    return { version: (await docker.version()).Version };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const words: Record<string, string> = {
      ENOENT: `there is no ${host}`,
      EACCES: `this account may not open ${host}`,
      ECONNREFUSED: `nothing listens on ${host}`,
    };
    return { version: undefined, why: words[code ?? ''] ?? message };
  }
}

async function announce(
  { url, engine }: Ready,
  { username, token, isNew }: LocalUser,
  { config, browser }: { config: Config; browser: string | undefined },
): Promise<void> {
  if (json) {
    const line = { url, token, username, engine, pid: process.pid };
    console.log(JSON.stringify(browser === undefined ? line : { ...line, browser }));
    return;
  }
  const boxes = engine === 'docker' ? 'containers' : 'processes on this machine’s network';
  say(
    `\nSpoon is up at ${url}, for ${username}${isNew ? ' (new)' : ''}. Data: ${shown(config.workdir)}. Boxes: ${boxes}.\n`,
  );
  if (browser !== undefined) {
    say(`  1. VS Code, signed in (whoever has this address has a shell on this machine):
     ${browser}
  2. Or a shell right here: npx spoonctl terminal

Ctrl-C stops all of it; everything stored stays.`);
    return;
  }
  const vscode = await prepareVscode(root, say).catch(
    (error: unknown) => `The extension could not be prepared: ${error instanceof Error ? error.message : error}`,
  );
  say(`  1. ${vscode}
  2. Sign in there: vscode://spoon-dev.spoon/sign-in?url=${encodeURIComponent(url)}
     with this token: ${process.stdout.isTTY ? token : 'npx spoonctl tokens create'}
  3. Or a shell right here: npx spoonctl terminal

Ctrl-C stops the service and its boxes; everything stored stays.`);
}

/** Boxes outlive a service by design; nobody wants them to outlive `up`. */
async function stopBoxes(operator: ApiClient): Promise<void> {
  const { boxes } = await operator.call('adminListBoxes');
  const running = boxes.filter(({ state }) => state !== 'stopped');
  const stops = running.map(({ username }) => operator.call('adminStopBox', { params: { username } }));
  for (const result of await Promise.allSettled(stops)) {
    if (result.status === 'rejected') say(`  A box could not be stopped: ${(result.reason as Error).message}`);
  }
}

function readOptions(): { json: boolean; browser: boolean; dev: boolean } {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, browser: { type: 'boolean' }, dev: { type: 'boolean' } },
  });
  return { json: values.json === true, browser: values.browser === true, dev: values.dev === true };
}

function shown(path: string): string {
  const inside = relative(process.cwd(), path);
  return inside.startsWith('..') ? path : inside;
}

try {
  process.exitCode = await up();
} catch (error) {
  if (error instanceof SpoonError) console.error(`spoon: ${error.message}`);
  else if (!(error instanceof ServiceRefused)) console.error(error);
  process.exitCode = error instanceof ServiceRefused ? error.exitCode : exitCodeOf(error);
}
// Idle connections of clients would keep the process for seconds.
process.exit();
