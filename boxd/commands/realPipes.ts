import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Both ends of a pipe; the child's end blocks, ours does not. */
export interface Pipe {
  readonly ours: number;
  readonly childs: number;
}

export interface StandardPipes {
  readonly stdin: Pipe;
  readonly stdout: Pipe;
  readonly stderr: Pipe;
}

const run = promisify(execFile);

/**
 * Real pipes for a command's standard streams. Node gives its children socket pairs, and a socket cannot be opened by
 * name (unix(7): ENXIO): `echo x > /dev/stderr`, `tee /dev/stdout` and `kubectl apply -f /dev/stdin` would all fail.
 * Node has no pipe(2), so these are FIFOs that lose their names as soon as both ends are open.
 * @returns `undefined` without mkfifo or with a full /tmp; socket pairs must do then, so that a person can still clean up
 */
export async function makePipes(): Promise<StandardPipes | undefined> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), 'spoon-command-'));
    const [stdin, stdout, stderr] = [join(folder, '0'), join(folder, '1'), join(folder, '2')] as const;
    await run('mkfifo', ['-m', '600', stdin, stdout, stderr]);
    return { stdin: openPipe(stdin, 'in'), stdout: openPipe(stdout, 'out'), stderr: openPipe(stderr, 'out') };
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

export function closePipes(pipes: StandardPipes, which: 'ours' | 'childs'): void {
  for (const pipe of [pipes.stdin, pipes.stdout, pipes.stderr]) closeSync(pipe[which]);
}

/** fifo(7): an end opens without waiting when the other one is there, so a third descriptor holds it meanwhile. */
function openPipe(path: string, direction: 'in' | 'out'): Pipe {
  const holder = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    const [read, write] = direction === 'in' ? [0, constants.O_NONBLOCK] : [constants.O_NONBLOCK, 0];
    const reader = openSync(path, constants.O_RDONLY | read);
    const writer = openSync(path, constants.O_WRONLY | write);
    return direction === 'in' ? { ours: writer, childs: reader } : { ours: reader, childs: writer };
  } finally {
    closeSync(holder);
  }
}
