import type { ReadStream, WriteStream } from 'node:tty';
import Table from 'cli-table3';
import { type Command, Option } from 'commander';
import { SpoonError } from '../protocol/errors.ts';
import { toProblem } from '../protocol/problem.ts';
import { adviceFor, exitCodeOf, exitCodes } from './exitCodes.ts';
import { safeJson, safeLine, safeText } from './safeText.ts';

/** Wrong use of spoonctl: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface JsonOption {
  readonly json?: true;
}

/** Adds `--json` to a command. */
export function withJson(command: Command): Command {
  return command.addOption(new Option('--json', 'print JSON for programs'));
}

/** What one run of spoonctl has around it: its environment, its streams, and the code it will exit with. */
export class CommandLine {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
  readonly homeDir: string;
  exitCode: number = exitCodes.ok;

  constructor(options: Pick<CommandLine, 'env' | 'stdin' | 'stdout' | 'stderr' | 'homeDir'>) {
    this.env = options.env;
    this.stdin = options.stdin;
    this.stdout = options.stdout;
    this.stderr = options.stderr;
    this.homeDir = options.homeDir;
  }

  /** The result of a command: the value as JSON, or its text for people. Control characters of the service are shown. */
  print({ json }: JsonOption, value: unknown, text: () => string): void {
    const shown = json === true ? safeJson(value, this.stdout.isTTY ? 2 : undefined) : safeText(text());
    if (shown !== '') this.stdout.write(`${shown}\n`);
  }

  /** For a person, beside the result. */
  note(text: string): void {
    this.stderr.write(`spoonctl: ${safeLine(text)}\n`);
  }

  /** Says what went wrong and what to do, in one line, and sets the exit code. A plain Error is a bug and is thrown on. */
  fail(error: unknown, { json }: JsonOption): void {
    if (error instanceof UsageError) {
      this.exitCode = exitCodes.usage;
      this.note(error.message);
      return;
    }
    if (!(error instanceof SpoonError)) throw error;
    this.exitCode = exitCodeOf(error);
    if (json === true) {
      this.stderr.write(`${safeJson(toProblem(error))}\n`);
      return;
    }
    const advice = adviceFor(error);
    this.note(advice === undefined ? error.message : `${error.message} ${advice}`);
  }
}

/** Columns for people; plain text, so that it can also be cut with other tools. */
export function columns(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const none = '';
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: none,
    },
  });
  // Before the widths are counted: an escape takes more room than what it stands for.
  for (const row of rows) table.push(row.map((cell) => safeLine(String(cell))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A point in time for a table, to the second, in the time zone of this machine. */
export function formatTime(ms: number | null): string {
  if (ms === null) return '-';
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
