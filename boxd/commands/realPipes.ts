import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

/** Both ends of a pipe; the child's end blocks, ours does not. */
interface Pipe {
  readonly ours: number;
  readonly childs: number;
}

export interface StandardPipes {
  readonly stdin: Pipe;
  readonly stdout: Pipe;
  readonly stderr: Pipe;
}

/**
 * Each part keeps its ends of the pipes as 5 and 6 (0 and 1 are elsewhere while a builtin is redirected), says its own
 * process id (a builtin opens /proc/self in the part itself), and waits to be let go.
 */
const pipeline =
  'part() { exec 5<&0 6>&1; read -r pid _ < /proc/self/stat; echo "$pid" >&3; read -r _ <&4; }; part | part | part | part';
const parts = 4;

/**
 * Real pipes for a command's standard streams. Node gives its children socket pairs, and a socket cannot be opened by
 * name (unix(7): ENXIO): `echo x > /dev/stderr`, `tee /dev/stdout` and `kubectl apply -f /dev/stdin` would all fail. A
 * FIFO will not do either: opening /dev/stdin waits for ever once the input has ended (fifo(7)). Node has no pipe(2), but
 * every shell has: three pipes of a short pipeline are opened through /proc, and the pipeline goes away.
 * @returns `undefined` where that fails, such as without room for processes; socket pairs must do then
 */
export async function makePipes(): Promise<StandardPipes | undefined> {
  const helper = spawn('/bin/sh', ['-c', pipeline], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: {} });
  const ended = once(helper, 'exit').catch(() => undefined);
  const [, , , said, hold] = helper.stdio as unknown as [null, null, null, Readable, Writable];
  try {
    return openPipes(await readPids(said));
  } catch {
    // No shell, no room for a process, no /proc: each has the same answer.
    return undefined;
  } finally {
    // Its copies of the ends must be gone, or no reader would ever see an end.
    hold.destroy();
    said.destroy();
    await ended;
  }
}

async function readPids(said: Readable): Promise<string[]> {
  let text = '';
  for await (const chunk of said.setEncoding('utf8')) {
    text += chunk;
    const lines = text.split('\n').slice(0, -1);
    if (lines.length >= parts) return lines;
  }
  return [];
}

function openPipes(pids: readonly string[]): StandardPipes | undefined {
  const opened: number[] = [];
  const open = (path: string, flags: number): number => {
    const fd = openSync(path, flags);
    opened.push(fd);
    return fd;
  };
  try {
    const pipes: { reader: string; writer: string }[] = [];
    for (const pid of pids) {
      const reader = `/proc/${pid}/fd/5`;
      const writer = pids
        .map((other) => `/proc/${other}/fd/6`)
        .find((path) => readlinkSync(path) === readlinkSync(reader));
      if (writer !== undefined && readlinkSync(writer).startsWith('pipe:')) pipes.push({ reader, writer });
    }
    const [first, second, third] = pipes;
    if (first === undefined || second === undefined || third === undefined) return undefined;
    const output = ({ reader, writer }: { reader: string; writer: string }): Pipe => ({
      ours: open(reader, constants.O_RDONLY | constants.O_NONBLOCK),
      childs: open(writer, constants.O_WRONLY),
    });
    const stdin = {
      ours: open(first.writer, constants.O_WRONLY | constants.O_NONBLOCK),
      childs: open(first.reader, constants.O_RDONLY),
    };
    return { stdin, stdout: output(second), stderr: output(third) };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}

export function closePipes(pipes: StandardPipes, which: 'ours' | 'childs'): void {
  for (const pipe of [pipes.stdin, pipes.stdout, pipes.stderr]) closeSync(pipe[which]);
}
