import { type Command, Option } from 'commander';
import { sealForService, trustSealKey } from '../client/sealing.ts';
import { checkEnvName } from '../protocol/envName.ts';
import { SpoonError } from '../protocol/errors.ts';
import { maxSecretBytes } from '../protocol/limits.ts';
import { type SecretScope, type SetSecretResult, secretUse } from '../protocol/secrets.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { type Connection, connect } from './connection.ts';
import { credentialsFile } from './credentials.ts';
import { ask } from './prompt.ts';
import { isStdinGiven, readLocalFile, readStdin } from './readInput.ts';
import { SealKeyFile } from './sealKeyPins.ts';

interface SpoonOption extends JsonOption {
  readonly spoon?: string;
}

interface SetOptions extends SpoonOption {
  readonly scope?: SecretScope[];
  readonly from?: string;
  readonly file?: true;
}

const scopes: readonly SecretScope[] = ['shells', 'setup', 'jobs'];

/** `spoonctl secrets …` */
export function addSecrets(program: Command, line: CommandLine): void {
  const secrets = program
    .command('secrets')
    .description('API keys and passwords, as environment variables in your box');

  withJson(secrets.command('ls').description('their names and where they appear; a value is never shown')).action(
    async (options: JsonOption) => {
      const list = await (await connect(line)).api.call('listSecrets');
      line.print(options, list, () =>
        columns(
          ['NAME', 'SPOON', 'IN', 'SET'],
          list.secrets.map(({ name, spoon, scopes: where, file, updatedMs }) => [
            file ? `${name} (file)` : name,
            spoon ?? '-',
            where.join(', '),
            formatTime(updatedMs),
          ]),
        ),
      );
    },
  );

  withJson(
    secrets.command('set').argument('<name>').description('set one; the value comes from stdin, or is asked for'),
  )
    .option('--spoon <spoon>', 'in threads of this spoon only')
    .addOption(
      new Option('--scope <scopes>', `where it appears: ${scopes.join(', ')}, separated by commas`).argParser(scopesOf),
    )
    .option('--file', 'the variable holds the path of a file with the value, mode 600, in memory')
    .option('--from <file>', 'the value is what this file holds')
    .addHelpText('after', '\nExample:\n  pass show openai | spoonctl secrets set OPENAI_API_KEY')
    .action(async (name: string, { spoon, scope, from, file, ...options }: SetOptions) => {
      checkEnvName(name);
      const value = await readValue(line, name, from);
      const { api, pins, username } = await sealer(line);
      const sealed = await sealForService({ api, pins, username, use: secretUse(name, spoon ?? null), value });
      const body = {
        sealed,
        ...(spoon === undefined ? {} : { spoon }),
        ...(scope === undefined ? {} : { scopes: scope }),
        ...(file === undefined ? {} : { file }),
      };
      const result = await api.call('setSecret', { params: { name }, body });
      line.print(options, result, () => said(result));
    });

  withJson(secrets.command('rm').argument('<name>').description('remove one; open shells keep what they have'))
    .option('--spoon <spoon>', 'the one of this spoon')
    .action(async (name: string, { spoon, ...options }: SpoonOption) => {
      const { api } = await connect(line);
      await api.call('removeSecret', { params: { name }, query: spoon === undefined ? {} : { spoon } });
      line.print(options, { removed: name }, () => `Removed ${name}.`);
    });

  withJson(secrets.command('trust').description("take the service's present key, after it has changed")).action(
    async (options: JsonOption) => {
      const key = await trustSealKey(await sealer(line));
      line.print(options, key, () => `Secrets are sealed with key ${key.keyId} from now on.`);
    },
  );

  withJson(secrets.command('new-key').description('have the service make a new key; what is stored stays')).action(
    async (options: JsonOption) => {
      const known = await sealer(line);
      const key = await known.api.call('rotateSealKey');
      await trustSealKey(known);
      line.print(options, key, () => `Key ${key.keyId}. Other machines of yours ask once: spoonctl secrets trust`);
    },
  );
}

/** Everything that sealing a value for the service takes, beside the value. */
export async function sealer(
  line: CommandLine,
): Promise<{ api: Connection['api']; pins: SealKeyFile; username: string }> {
  const { api, username } = await connect(line);
  const pins = new SealKeyFile(credentialsFile(line.env, line.homeDir));
  return { api, pins, username: username ?? (await api.call('me')).user?.username ?? '' };
}

/** Never from the command line, where every user of the machine can read it. */
async function readValue(line: CommandLine, name: string, from: string | undefined): Promise<Uint8Array> {
  const bytes =
    from !== undefined && from !== '-'
      ? (await readLocalFile(from)).bytes
      : from === '-' || isStdinGiven(line)
        ? withoutLineEnd(await readStdin(line))
        : await asked(line, name);
  if (bytes.length === 0) throw new UsageError('The value is empty. Nothing was changed.');
  if (bytes.length > maxSecretBytes) {
    throw new SpoonError('body-too-large', `A secret may have ${maxSecretBytes / 1024} KiB. Nothing was sent.`);
  }
  return bytes;
}

async function asked(line: CommandLine, name: string): Promise<Uint8Array> {
  if (!line.stdin.isTTY) throw new UsageError('No value. Give it on stdin, or with --from FILE.');
  return Buffer.from(await ask(line, `Value of ${name}: `, { hidden: true }));
}

/** What `echo` and most password managers put after it is not part of a value of one line. */
function withoutLineEnd(bytes: Buffer): Uint8Array {
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0;
  const text = bytes.subarray(0, bytes.length - end);
  return text.includes(0x0a) ? bytes : text;
}

function scopesOf(text: string): SecretScope[] {
  const given = text.split(',').map((word) => word.trim());
  const known = scopes.filter((scope) => given.includes(scope));
  if (known.length !== given.length) throw new UsageError(`--scope takes ${scopes.join(', ')}, separated by commas.`);
  return known;
}

function said({ secret, olderTerminals }: SetSecretResult): string {
  const where = secret.spoon === null ? '' : ` for threads of ${secret.spoon}`;
  const older = olderTerminals.length === 0 ? '' : `\nOpen shells keep what they have: ${olderTerminals.join(', ')}.`;
  return `Set ${secret.name}${where}, in ${secret.scopes.join(', ')}. New ones of these have it.${older}`;
}
