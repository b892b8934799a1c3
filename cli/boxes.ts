import type { Command } from 'commander';
import type { AdminStatus, BoxSummary } from '../protocol/admin.ts';
import { inBytes } from './byteText.ts';
import { type CommandLine, columns, formatTime, type JsonOption, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';

const stopMs = 60_000;

/** `spoonctl boxes …`, for administrators. */
export function addBoxes(program: Command, line: CommandLine): void {
  const boxes = program.command('boxes').description('the boxes of all users (for administrators)');

  withJson(boxes.command('ls').description('each with what holds it, and its load')).action(
    async (options: JsonOption) => {
      const list = await (await connectAsAdmin(line)).call('adminListBoxes');
      line.print(options, list, () =>
        columns(['USERNAME', 'STATE', 'SINCE', 'CPU', 'MEMORY', 'PROCESSES', 'HELD BY'], list.boxes.map(rowOf)),
      );
    },
  );

  withJson(boxes.command('stop').argument('<username>').description('end a box and everything in it; the home stays'))
    .addHelpText('after', '\nIts user may start it again at any time; to prevent that: spoonctl users disable USERNAME')
    .action(async (username: string, options: JsonOption) => {
      const call = { params: { username }, timeoutMs: stopMs };
      const box = await (await connectAsAdmin(line)).call('adminStopBox', call);
      line.print(options, box, () => `The box of ${username} is ${box.state}.`);
    });
}

/** `spoonctl admin status` */
export function addAdminStatus(admin: Command, line: CommandLine): void {
  withJson(admin.command('status').description('health with its reasons, and the room on the disks')).action(
    async (options: JsonOption) => {
      const status = await (await connectAsAdmin(line)).call('adminStatus');
      line.print(options, status, () => statusText(status));
    },
  );
}

function rowOf({ username, state, startedMs, load, holders = [] }: BoxSummary): (string | number)[] {
  return [
    username,
    state,
    formatTime(startedMs),
    load === undefined ? '-' : `${load.cpuPercent} %`,
    load === undefined ? '-' : `${inBytes(load.memoryBytes)} of ${inBytes(load.memoryLimitBytes)}`,
    load === undefined ? '-' : load.processes,
    holders.map(({ kind, count }) => `${count} × ${kind}`).join(', ') || '-',
  ];
}

function statusText({ health, startedMs, disks }: AdminStatus): string {
  return [
    `Service  Spoon ${health.version}, ${health.engine} boxes, up since ${formatTime(startedMs)}`,
    `Health   ${health.problems.length === 0 ? 'well' : 'with problems:'}`,
    ...health.problems.map((problem) => `         ${problem}`),
    ...disks.map(
      ({ holds, freeBytes, totalBytes }) =>
        `Disk     ${inBytes(freeBytes)} of ${inBytes(totalBytes)} free${holds === 'all' ? '' : `, for the ${holds}`}`,
    ),
  ].join('\n');
}
