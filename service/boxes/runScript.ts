import { spawn } from 'node:child_process';
import { once } from 'node:events';

const timeLimitMs = 20_000;
const keptErrorBytes = 4_096;

/**
 * Runs a shell script, in another network namespace when one is named. It comes by a pipe: nothing of it is in an argument.
 * @param networkNamespace the path of one, such as `/proc/1/ns/net`
 * @throws Error with the last line that it wrote to stderr
 */
export async function runScript(script: string, networkNamespace?: string): Promise<void> {
  const argv = networkNamespace === undefined ? ['sh', '-s'] : ['nsenter', `--net=${networkNamespace}`, 'sh', '-s'];
  const child = spawn(argv[0] ?? 'sh', argv.slice(1), {
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: timeLimitMs,
    killSignal: 'SIGKILL',
    // Administrators' tools are not in everybody's PATH.
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptErrorBytes);
  });
  // It may end before it has read everything; its exit code says what is to be known.
  child.stdin.on('error', () => undefined).end(script);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return;
  throw new Error(said.trim().split('\n').at(-1) || `it ended with ${signal ?? code}`);
}
