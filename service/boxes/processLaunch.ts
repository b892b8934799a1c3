import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { SpoonError } from '../../protocol/errors.ts';
import { seeLog } from './boxWords.ts';
import { rejectedBy } from './rejectedBy.ts';

const launchMs = 15_000;
const maxLength = 2_000;

export interface Launch {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Who says what the first process's pid is: our script on descriptor 3, bubblewrap on 4, or nobody: it is the child. */
  readonly pidFrom: 'script' | 'bubblewrap' | 'child';
}

/**
 * Starts the first process of a box in a session of its own, so that it outlives the service. It says on descriptor 3
 * that it is ready; `onReady` is told its pid as this process sees it; after that it is let go. Ends what was started
 * when anything of this fails.
 * @returns the child, whose `exit` tells the box's end as long as this process lives
 * @throws SpoonError `box-start-failed`, its cause what the tools said; the signal's reason; what `onReady` throws
 */
export async function launch(
  { argv, env, cwd = '/', pidFrom }: Launch,
  onReady: (pid: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<ChildProcess> {
  const [file = '', ...rest] = argv;
  const child = spawn(file, rest, {
    detached: true,
    cwd,
    env: { ...env },
    stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [stdin, , stderr, said, info] = child.stdio as [Writable, null, Readable, Readable, Readable];
  // Broken pipes show as the end of what is read.
  for (const stream of child.stdio) stream?.on('error', () => undefined);
  const timeout = AbortSignal.timeout(launchMs);
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  let pid: number | undefined;
  try {
    const [complaint, words, information] = [new Collected(stderr), new Collected(said), new Collected(info)];
    const failed = Promise.race([failureOf(child, complaint), rejectedBy(either)]);
    const orFail = <T>(work: Promise<T>): Promise<T> => Promise.race([work, failed]);
    await orFail(words.until('ready\n'));
    if (pidFrom === 'bubblewrap') await orFail(information.until('}'));
    pid = pidFrom === 'child' ? child.pid : pidIn(words.text + information.text);
    if (pid === undefined) throw new SpoonError('box-start-failed', 'It has no process.');
    await orFail(onReady(pid));
    await orFail(new Promise<void>((resolve) => stdin.end('go\n', () => resolve())));
  } catch (error) {
    for (const started of [pid, child.pid]) if (started !== undefined) killQuietly(started);
    signal?.throwIfAborted();
    if (timeout.aborted) throw new SpoonError('box-start-failed', `It was not ready within ${launchMs} ms.`);
    throw error;
  } finally {
    for (const stream of [stderr, said, info]) stream.destroy();
  }
  child.unref();
  return child;
}

/** `pid 123` from our script, `"child-pid": 123` from bubblewrap. */
function pidIn(text: string): number | undefined {
  const match = /^pid (\d+)$/m.exec(text) ?? /"child-pid":\s*(\d+)/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

async function failureOf(child: ChildProcess, complaint: Collected): Promise<never> {
  const [code, signal] = await once(child, 'exit').catch((cause) => {
    throw new SpoonError('box-start-failed', seeLog, { cause });
  });
  await complaint.ended;
  const cause = new Error(complaint.text.trim());
  throw new SpoonError('box-start-failed', `Its first process ended with ${signal ?? code}. ${seeLog}`, { cause });
}

/** The last of what a pipe has said. */
class Collected {
  text = '';
  readonly ended: Promise<void>;
  readonly #stream: Readable;

  constructor(stream: Readable) {
    this.#stream = stream;
    this.ended = new Promise((resolve) => stream.once('close', resolve));
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      this.text = (this.text + chunk).slice(-maxLength);
    });
  }

  until(words: string): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!this.text.includes(words)) return;
        this.#stream.off('data', check);
        resolve();
      };
      this.#stream.on('data', check);
      check();
    });
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
