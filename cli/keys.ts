import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { KeyStatus } from '../protocol/keys.ts';
import { type CommandLine, columns, formatTime, type JsonOption, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';

const keyBytes = 32;
/** Of ten thousand users on a slow disk. */
const rewrapMs = 10 * 60_000;

/** `spoonctl admin keys …` */
export function addKeys(admin: Command, line: CommandLine): void {
  const keys = admin.command('keys').description('the root keys that everything stored is sealed under');

  withJson(keys.command('generate').description('a new key, printed once and stored nowhere')).action(
    (options: JsonOption) => {
      const key = randomBytes(keyBytes).toString('base64');
      line.print(options, { key }, () => key);
      if (options.json !== true)
        line.note('Keep it apart from the database and its backups: without it they cannot be read.');
    },
  );

  withJson(keys.command('status').description('which keys are in use, and by how much')).action(
    async (options: JsonOption) => {
      const status = await (await connectAsAdmin(line)).call('adminKeys');
      line.print(options, status, () => table(status));
    },
  );

  withJson(keys.command('rewrap').description('move everything to the current key; may be ended and run again'))
    .addHelpText('after', '\nFirst start the service with the new key, and the old one in SPOON_ENCRYPTION_KEYS_OLD.')
    .action(async (options: JsonOption) => {
      const done = await (await connectAsAdmin(line)).call('adminRewrapKeys', { timeoutMs: rewrapMs });
      line.print(options, done, () => `Moved ${done.rewrapped} data keys.\n${table(done)}`);
    });
}

function table({ keys }: KeyStatus): string {
  return columns(
    ['KEY', 'SINCE', 'DATA KEYS', ''],
    keys.map(({ id, createdMs, dataKeys, isCurrent, isAvailable }) => [
      id,
      formatTime(createdMs),
      dataKeys,
      isCurrent ? 'current' : isAvailable ? 'old' : 'old, not given to the service',
    ]),
  );
}
