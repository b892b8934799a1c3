import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { ApiClient } from '../../client/apiClient.ts';
import { type CommandLine, type JsonOption, withJson } from '../commandLine.ts';
import { operatorOf } from '../connection.ts';
import { exitCodes } from '../exitCodes.ts';
import { checkAsAdministrator } from './asAdministrator.ts';
import { type Check, Checks, type Side } from './checks.ts';
import { HeardClock } from './clock.ts';
import { checkPublicHealth, checkService } from './theService.ts';
import { checkMachine } from './thisMachine.ts';
import { checkBox } from './yourBox.ts';

const sideNames: Record<Side, string> = { machine: 'This machine', service: 'The service', box: 'Your box' };

/** `spoonctl doctor` */
export function addDoctor(program: Command, line: CommandLine): void {
  withJson(
    program.command('doctor').description('what is wrong with this machine, the service and your box, and what to do'),
  )
    .addHelpText(
      'after',
      '\nChanges nothing and starts no box. As the account of the service on its machine, or with the token of an\nadministrator, it also looks at keys, disks, engine, audit and backup. Ends with 0 unless something failed.',
    )
    .action(async (options: JsonOption) => {
      const checks = await examine(line, program.version() ?? '');
      const count = (state: Check['state']) => checks.filter((check) => check.state === state).length;
      const [failed, warnings] = [count('failed'), count('warning')];
      line.print(options, { failed, warnings, checks }, () => textOf(checks, { failed, warnings }));
      if (failed > 0) line.exitCode = exitCodes.refused;
    });
}

async function examine(line: CommandLine, version: string): Promise<readonly Check[]> {
  const clock = new HeardClock();
  const operator = operatorOf(line);
  const machine = new Checks('machine', hostname());
  const facts = { version, isOperator: operator !== undefined, transport: clock.fetch };
  const connection = await checkMachine(machine, line, facts);
  const service = new Checks('service', connection?.api.host ?? '');
  const reached = connection && (await checkService(service, connection, { version, clock }));

  const here = new Checks('service', operator?.host ?? '');
  const instanceHere = operator && (await checkHere(here, operator));
  if (connection !== undefined && reached !== undefined && reached.health.instanceId !== instanceHere) {
    if (reached.me?.kind === 'admin') await checkAsAdministrator(service, connection.api);
    else checkPublicHealth(service, reached.health);
  }

  const box = new Checks('box', reached?.me?.user?.username ?? '');
  if (connection !== undefined && reached?.me?.kind === 'user') await checkBox(box, connection.api, reached.me);
  return [machine, service, here, box].flatMap(({ rows }) => rows);
}

/** The service on this machine, over its admin socket. @returns its instance; undefined where it does not answer */
async function checkHere(checks: Checks, operator: ApiClient): Promise<string | undefined> {
  const health = await checks.ask('Answer', () => operator.checkCompatible());
  if (health === undefined) return undefined;
  checks.ok('Answer', `Spoon ${health.version}, ${health.engine === 'none' ? 'no' : health.engine} boxes`);
  await checkAsAdministrator(checks, operator);
  return health.instanceId;
}

function textOf(checks: readonly Check[], { failed, warnings }: { failed: number; warnings: number }): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines: string[] = [];
  let heading = '';
  for (const { side, of, name, state, found, advice } of checks) {
    const next = `${sideNames[side]} (${of})`;
    if (next !== heading) lines.push(...(heading === '' ? [] : ['']), next);
    heading = next;
    lines.push(`  ${state.padEnd(8)} ${name.padEnd(width)}  ${found}`);
    if (advice !== undefined) lines.push(`  ${' '.repeat(8)} ${' '.repeat(width)}  ${advice}`);
  }
  if (checks.every(({ side }) => side === 'machine')) lines.push('', 'No service was looked at.');
  lines.push(
    '',
    `${failed === 0 ? 'Nothing' : failed} failed, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`,
  );
  return lines.join('\n');
}
