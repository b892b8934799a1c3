import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { KeyStatus } from '../protocol/keys.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';

const keyBytes = 32;
/** Of ten thousand users on a slow disk. */
const rewrapMs = 10 * 60_000;

interface WhoseOptions extends JsonOption {
  readonly all?: true;
}

interface SealOptions extends WhoseOptions {
  readonly olderThan?: string;
}

const dayMs = 24 * 60 * 60_000;

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
      line.print(options, status, () => `${table(status)}\n${rotationWords(status)}`);
    },
  );

  withJson(keys.command('rewrap').description('move everything to the current key; may be ended and run again'))
    .addHelpText('after', '\nFirst start the service with the new key, and the old one in SPOON_ENCRYPTION_KEYS_OLD.')
    .action(async (options: JsonOption) => {
      const done = await (await connectAsAdmin(line)).call('adminRewrapKeys', { timeoutMs: rewrapMs });
      line.print(options, done, () => `Moved ${done.rewrapped} data keys.\n${table(done)}`);
    });

  withJson(keys.command('rotate-data').argument('[user]').option('--all', 'of all users'))
    .description('a new data key, on the suspicion that somebody has learned the old one; people work on')
    .addHelpText(
      'after',
      '\nWhat is stored is sealed anew in the background, also over a restart; see: spoonctl admin keys status',
    )
    .action(async (user: string | undefined, { all, ...options }: WhoseOptions) => {
      const body = whose(user, all);
      const done = await (await connectAsAdmin(line)).call('adminRotateDataKeys', { body, timeoutMs: rewrapMs });
      line.print(options, done, () => `New data keys for ${done.users} users.\n${rotationWords(done)}`);
    });

  withJson(keys.command('rotate-seal').argument('[user]').option('--all', 'of all users'))
    .description('a new key that clients seal secrets with; what is stored is sealed anew')
    .option('--older-than <days>', 'only keys that are older, such as 90')
    .addHelpText('after', '\nEach client asks its person once whether that was meant: tell them before.')
    .action(async (user: string | undefined, { all, olderThan, ...options }: SealOptions) => {
      if (olderThan !== undefined && !/^\d{1,4}$/.test(olderThan))
        throw new UsageError('--older-than takes days, such as 90.');
      const minAgeMs = olderThan === undefined ? {} : { minAgeMs: Number(olderThan) * dayMs };
      const body = { ...whose(user, all), ...minAgeMs };
      const done = await (await connectAsAdmin(line)).call('adminRotateSealKeys', { body, timeoutMs: rewrapMs });
      line.print(options, done, () => {
        const left = done.unopened === 0 ? '' : ` ${done.unopened} do not open and keep their old key.`;
        const who = 'Their clients ask once: it was meant (spoonctl secrets trust).';
        return `New seal keys for ${done.users} users; ${done.sealed} stored values sealed anew.${left}\n${who}`;
      });
    });
}

function whose(user: string | undefined, all: true | undefined): { username?: string } {
  if ((user === undefined) === (all === undefined)) throw new UsageError('Name a user, or --all of them.');
  return user === undefined ? {} : { username: user };
}

/** How far the exchange of data keys is. */
function rotationWords({ rotation: { owners, resealed, unopened } }: Pick<KeyStatus, 'rotation'>): string {
  if (owners === 0) return 'No data key waits to be destroyed.';
  const damaged = unopened === 0 ? '' : ` ${unopened} values do not open and keep theirs: see the log (keys.rotate).`;
  return `Old data keys of ${owners} users are destroyed once nothing names them, in 2 minutes at the earliest; ${resealed} values sealed anew so far.${damaged}`;
}

function table({ keys }: Pick<KeyStatus, 'keys'>): string {
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
