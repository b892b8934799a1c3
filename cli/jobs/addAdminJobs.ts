import type { Command } from 'commander';
import { type CommandLine, columns, formatTime, type JsonOption, withJson } from '../commandLine.ts';
import { connectAsAdmin } from '../connection.ts';

/** `spoonctl admin jobs …` */
export function addAdminJobs(admin: Command, line: CommandLine): void {
  const jobs = admin.command('jobs').description('the agent jobs of all users, without what is in them');

  withJson(jobs.command('list').alias('ls').description('those that wait or run')).action(
    async (options: JsonOption) => {
      const list = await (await connectAsAdmin(line)).call('adminJobs');
      line.print(options, list, () =>
        [
          columns(
            ['JOB', 'USER', 'STATE', 'ASKED', 'STARTED'],
            list.jobs.map(({ id, username, state, createdMs, startedMs }) => [
              id,
              username,
              state,
              formatTime(createdMs),
              formatTime(startedMs),
            ]),
          ),
          `At most ${list.maxConcurrent} at once (SPOON_AGENT_MAX_CONCURRENT_JOBS).`,
        ].join('\n'),
      );
    },
  );

  withJson(
    jobs.command('worker-token').argument('<job>').description('a token for the worker of one job, shown once'),
  ).action(async (id: string, options: JsonOption) => {
    const made = await (await connectAsAdmin(line)).call('createWorkerToken', { params: { id } });
    line.print(options, made, () => made.token);
  });
}
