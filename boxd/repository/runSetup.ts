import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { endProcesses } from '../processes/endProcesses.ts';
import { loginEnvironment } from '../processes/loginEnvironment.ts';
import type { Settings } from '../settings.ts';

const markerName = 'SPOON_SETUP_ID';

export interface SetupCall {
  /** The program and its arguments; no shell sees them. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onOutput: (chunk: Buffer) => void;
}

export interface SetupEnd {
  /** 128 plus its number where a signal ended it. */
  readonly exitCode: number;
  readonly ended: 'by itself' | 'timeout' | 'cancelled';
}

/**
 * Runs a setup script as a login would find it: no input, both outputs in one pipe, a session of its own. When it is over,
 * in whichever way, everything it started is ended (decision 12).
 *
 * A small shell stands between boxd and the script: a script that ends its parent ends that, and not boxd with the box.
 */
export async function runSetup(settings: Settings, call: SetupCall): Promise<SetupEnd> {
  const { argv, cwd, environment, timeoutMs, signal, onOutput } = call;
  signal.throwIfAborted();
  const id = crypto.randomUUID();
  const child = spawn('/bin/sh', ['-c', '"$@" 2>&1; exit $?', 'spoon-setup', ...argv], {
    cwd,
    env: loginEnvironment(settings, {
      shell: settings.shell,
      extra: environment,
      marker: { PWD: cwd, [markerName]: id },
    }),
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  child.stdout.on('data', onOutput);
  child.stdout.on('error', () => {});
  const closed = once(child.stdout, 'close');
  let ended: SetupEnd['ended'] = 'by itself';
  const endAll = () => (child.pid === undefined ? Promise.resolve() : endProcesses(child.pid, `${markerName}=${id}`));
  let ending: Promise<void> | undefined;
  const end = (why: SetupEnd['ended']): void => {
    ended = why;
    ending ??= endAll();
    // Awaited below; until then nobody is there to hear of a failure.
    ending.catch(() => {});
  };
  const timer = setTimeout(() => end('timeout'), timeoutMs);
  const onAbort = () => end('cancelled');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [code, by] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    await ending;
    // What it left behind also holds the pipe open; one that hides from the scan is not waited for.
    await endAll();
    if (!child.stdout.readableEnded) {
      const drained = setTimeout(() => child.stdout.destroy(), 1_000);
      await closed;
      clearTimeout(drained);
    }
    return { exitCode: code ?? 128 + (by === null ? 0 : constants.signals[by]), ended };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
