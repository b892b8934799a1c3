import { spawnSync } from 'node:child_process';
import type { Command } from 'commander';
import { type EgressReport, egressScript, removeEgressScript } from '../protocol/egress.ts';
import { SpoonError } from '../protocol/errors.ts';
import { addAudit } from './audit.ts';
import { addAdminStatus } from './boxes.ts';
import { type CommandLine, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';
import { addAdminJobs } from './jobs/addAdminJobs.ts';
import { addKeys } from './keys.ts';

interface PrintOption extends JsonOption {
  readonly print?: true;
}

/** Long enough for a throw-away box on a machine that is busy. */
const checkMs = 120_000;

/** `spoonctl admin …`, for administrators. */
export function addAdmin(program: Command, line: CommandLine): void {
  const admin = program.command('admin').description('this installation (for administrators)');
  addAdminStatus(admin, line);
  addAudit(admin, line);
  addKeys(admin, line);
  addAdminJobs(admin, line);
  const network = admin.command('network').description('what boxes can reach of this machine and its network');

  withJson(network.command('show').description('what was found last')).action(async (options: JsonOption) => {
    show(line, options, await (await connectAsAdmin(line)).call('adminNetwork'));
  });

  withJson(network.command('check').description('try it from a throw-away box')).action(async (options: JsonOption) => {
    show(line, options, await (await connectAsAdmin(line)).call('adminCheckNetwork', { timeoutMs: checkMs }));
  });

  withJson(network.command('apply').description('set the firewall rules, as root, and try whether they hold'))
    .option('--print', 'only print the script that would set them')
    .action(async ({ print, ...options }: PrintOption) => {
      const api = await connectAsAdmin(line);
      const script = egressScript((await api.call('adminNetwork')).plan);
      if (print === true) return line.print(options, { script }, () => script.trimEnd());
      run(script);
      show(line, options, await api.call('adminCheckNetwork', { timeoutMs: checkMs }));
    });

  withJson(network.command('remove').description('take the firewall rules away, as root'))
    .option('--print', 'only print the script that would')
    .action(async ({ print, ...options }: PrintOption) => {
      const script = removeEgressScript((await (await connectAsAdmin(line)).call('adminNetwork')).plan.instance);
      if (print === true) return line.print(options, { script }, () => script.trimEnd());
      run(script);
      line.print(options, { removed: true }, () => 'Removed. A service that may sets them again within a minute.');
    });
}

/** The script is made here, from addresses: nothing that came from the service is run. */
function run(script: string): void {
  if (process.getuid?.() !== 0) throw new UsageError('Firewall rules need root: sudo, or look with --print.');
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  const { status, stderr, error } = spawnSync('sh', ['-s'], { input: script, env, encoding: 'utf8' });
  if (status === 0) return;
  throw new SpoonError('engine-unavailable', `The rules could not be set: ${error?.message ?? stderr.trim()}`);
}

function show(line: CommandLine, options: JsonOption, report: EgressReport): void {
  const { plan, failure, checkedMs, reached, untried } = report;
  const open = plan.open.map(({ address, port }) => `${address}:${port}`);
  const found =
    untried !== null
      ? `could not be tried: ${untried}`
      : checkedMs === null
        ? 'not tried yet'
        : reached.length === 0
          ? `nothing of this machine and its network, tried at ${formatTime(checkedMs)}`
          : `${reached.join(', ')}, tried at ${formatTime(checkedMs)}`;
  line.print(options, report, () =>
    [
      `Boxes reach  ${found}`,
      `Rules        ${failure === null ? 'set by the service' : `not set by the service: ${failure}`}`,
      `Let through  ${[...open, ...plan.resolvers.map((address) => `${address}:53`)].join(', ') || 'the internet only'}`,
    ].join('\n'),
  );
  if (untried !== null || reached.length > 0) line.exitCode = 1;
}
