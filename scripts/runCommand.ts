import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** Called for every line of either stream, as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  /** The exit code; 128 + n after signal n is not computed: a signal gives null. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Runs a program to its end, without a shell. @throws when it cannot be started at all, or `signal` aborts */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env, signal, onLine }: CommandOptions = {},
): Promise<CommandResult> {
  const startedMs = performance.now();
  const child = spawn(command, args, { cwd, env: env ?? process.env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    let rest = '';
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (onLine !== undefined) for (const line of lines) onLine(line);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { code, ...output, durationMs: performance.now() - startedMs };
}

/** The same, for a program that must succeed. @throws Error with the end of what it said */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await runCommand(command, args, options);
  if (result.code === 0) return result;
  const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-15).join('\n');
  throw new Error(`${command} ${args[0] ?? ''} ended with ${result.code ?? 'a signal'}:\n${said}`);
}
