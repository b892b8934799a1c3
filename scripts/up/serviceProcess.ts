import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findProgram } from '../provision/systemPackages.ts';

/** What the service says when it listens (`service/main.ts`). */
export interface Ready {
  readonly url: string;
  readonly engine: string;
  readonly instanceId: string;
  readonly pid: number;
}

export interface ServiceProcess {
  readonly ready: Ready;
  /** Its exit code, once it has ended; 128 + 9 and the like after a signal are told as null. */
  readonly ended: Promise<number | null>;
  /** Asks it to stop, and waits. What it has acknowledged is safe; boxes are not touched. */
  stop(): Promise<void>;
}

/** The service ended before it was ready; it has said why on stderr. */
export class ServiceRefused extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`The service ended with ${exitCode}.`);
    this.exitCode = exitCode;
  }
}

/** Graceful stop takes up to 10 s (unfinished requests); this is beyond it. */
const stopTimeoutMs = 15_000;

/**
 * Starts the service in a process group of its own, so that a Ctrl-C reaches `up` first, and ties its life to this
 * process's where the system can (Linux), so that a killed `up` leaves no service.
 * @param logFile gets its log, JSON lines
 * @param onWarning called with what the service wants people to know
 * @throws ServiceRefused
 */
export async function startServiceProcess(
  root: string,
  env: NodeJS.ProcessEnv,
  { logFile, onWarning }: { logFile: string; onWarning: (text: string) => void },
): Promise<ServiceProcess> {
  const main = [process.execPath, join(root, 'service', 'main.ts')];
  const setpriv = await findProgram('setpriv');
  const [command = '', ...args] = setpriv === undefined ? main : [setpriv, '--pdeathsig', 'KILL', ...main];
  const child = spawn(command, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
  const early: string[] = [];
  let keep = (line: string): void => void early.push(line);
  lines.on('line', (line) => {
    keep(line);
    const warning = warningIn(line);
    if (warning !== undefined) onWarning(warning);
  });
  const ready = await Promise.race([untilReady(child), ended]);
  if (ready === null || typeof ready === 'number') throw new ServiceRefused(ready ?? 70);
  // Its folder exists from now on.
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  for (const line of early) log.write(`${line}\n`);
  keep = (line) => void log.write(`${line}\n`);
  return {
    ready,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

function untilReady(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.on('message', (message) => {
      if (isReady(message)) resolve(message);
    });
  });
}

function isReady(message: unknown): message is Ready {
  return typeof message === 'object' && message !== null && 'event' in message && message.event === 'ready';
}

/** The text of a log line that is a warning (pino's level 40 and above). */
function warningIn(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const { level, text } = JSON.parse(line) as { level?: number; text?: string };
  return level === 40 ? text : undefined;
}
