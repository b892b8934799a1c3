import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { type CommandLine, UsageError } from './commandLine.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** `spoonctl service run` */
export function addService(program: Command, line: CommandLine): void {
  const service = program.command('service').description('the service itself (for administrators)');
  service
    .command('run')
    .description('run it here, in the foreground; the SPOON_ variables apply')
    .action(() => runOfService(line, 'main', []));
}

/**
 * Becomes a program of the service's: signals, streams and exit code are its own, with nothing in between to lose them.
 * @param program its name without an ending: a source in a checkout, a bundle where the service was packed
 */
export function runOfService(line: CommandLine, program: string, args: readonly string[]): void {
  const places = ['ts', 'mjs'].map((ending) => join(root, 'service', `${program}.${ending}`));
  const main = places.find((file) => existsSync(file));
  if (main === undefined)
    throw new UsageError(`The service is not part of this installation (no ${places.join(', no ')}).`);
  if (process.execve === undefined) throw new UsageError('The service does not run on this system.');
  process.execve(process.execPath, [process.execPath, main, ...args], line.env);
}
