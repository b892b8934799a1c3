import { SpoonError } from '../protocol/errors.ts';
import { readConfig } from './config.ts';
import { exitCodeOf } from './exitCodes.ts';
import { readRootKey } from './keyring/rootKey.ts';
import { restoreBackup } from './restoreBackup.ts';
import { type VerifiedBackup, verifyBackup } from './verifyBackup.ts';

// `spoonctl backup verify` and `restore`: what is done with a backup where no service runs.

const faultExitCode = 65;
const [verb, file = '', ...flags] = process.argv.slice(2);
const isJson = flags.includes('--json');

try {
  const config = readConfig(process.env, process.cwd());
  if (verb === 'verify') {
    const report = await verifyBackup(file, await keyIfGiven(() => readRootKey(config.key)));
    print(report, () => wordsFor(report));
    if (report.faults.length > 0) process.exitCode = faultExitCode;
  } else if (verb === 'restore') {
    const { createdMs, instanceId, rows } = await restoreBackup(file, config);
    print({ createdMs, instanceId, rows, workdir: config.workdir }, () =>
      [
        `Restored the state of ${new Date(createdMs).toISOString()} into ${config.workdir}: ${rows.users} users.`,
        'Homes are not part of a backup: put them back into its folder homes before you start the service.',
        'Tokens that were revoked and users who were disabled since are as they were then.',
      ].join('\n'),
    );
  } else {
    throw new Error('backupMain: verify or restore, and a file.');
  }
} catch (error) {
  if (!(error instanceof SpoonError)) throw error;
  process.stderr.write(`spoonctl: ${error.message}\n`);
  process.exitCode = exitCodeOf(error);
}

async function keyIfGiven<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SpoonError && error.code === 'key-missing') return undefined;
    throw error;
  }
}

function print(value: unknown, text: () => string): void {
  process.stdout.write(`${isJson ? JSON.stringify(value) : text()}\n`);
}

function wordsFor({ createdMs, schema, keys, rows, contents, faults }: VerifiedBackup): string {
  const opened = Object.values(contents?.opened ?? {}).reduce((sum, count) => sum + count, 0);
  return [
    `Made      ${new Date(createdMs).toISOString()}, schema ${schema}`,
    `Keys      ${keys.join(', ')}`,
    `Users     ${rows.users}, dotfiles ${rows.dotfiles} in ${rows.dotfile_versions} versions`,
    'Whole     yes, every hash fits',
    contents === null
      ? 'Opened    nothing: no root key was given (SPOON_ENCRYPTION_KEY), so that nobody knows whether it can be'
      : `Opened    ${opened} values, ${contents.failed} do not open`,
    ...(contents === null ? [] : [`Audit     ${contents.audit.entries} entries`]),
    ...(contents?.failures ?? []).map((what) => `          not: ${what}`),
    ...faults.map((fault) => `Fault     ${fault}`),
  ].join('\n');
}
