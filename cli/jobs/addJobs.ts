import type { Command } from 'commander';
import { ColourFilter } from '../../client/colourFilter.ts';
import type { RunJobRequest } from '../../protocol/jobs.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from '../commandLine.ts';
import { connect } from '../connection.ts';
import { isStdinGiven, readStdin } from '../readInput.ts';
import { safeText } from '../safeText.ts';
import { checkThreadName } from '../typedPath.ts';
import { durationOf } from './duration.ts';
import { findJob } from './findJob.ts';
import { followLog } from './followLog.ts';
import { changesText, detailsText, shortId, stateText } from './jobText.ts';

interface FollowOption {
  readonly follow?: true;
}

/** `spoonctl jobs …` */
export function addJobs(program: Command, line: CommandLine): void {
  const jobs = program.command('jobs').description('agents that work in your threads');
  addRun(jobs, line);
  addLooks(jobs, line);
  addOutputs(jobs, line);
  addEnds(jobs, line);
}

function addRun(jobs: Command, line: CommandLine): void {
  withJson(
    jobs
      .command('run')
      .argument('<thread>')
      .argument('[prompt...]', 'what the agent is asked; from stdin when left out')
      .description('have an agent work in a thread; it goes on when spoonctl ends'),
  )
    .option('-f, --follow', 'show what it prints until it ends; Ctrl-C leaves it running')
    .option('--time-limit <duration>', 'end it after so long: 90s, 30m, 2h')
    .addHelpText('after', runHelp)
    .action(
      async (
        thread: string,
        words: string[],
        { follow, timeLimit, ...options }: JsonOption & FollowOption & { timeLimit?: string },
      ) => {
        const body: RunJobRequest = {
          thread: checkThreadName(thread),
          prompt: await readPrompt(line, words),
          ...(timeLimit === undefined ? {} : { timeLimitMs: durationOf(timeLimit) }),
        };
        const { api } = await connect(line);
        const job = await api.call('runJob', { body });
        if (follow) {
          line.note(`Job ${shortId(job)} in ${job.thread}. Ctrl-C leaves it running.`);
          await followLog(line, api, job, { ...options, style: styleOf(line) });
          return;
        }
        const id = shortId(job);
        line.print(options, job, () => `${stateText(job)}: job ${id}\nWatch it with: spoonctl jobs log ${id} --follow`);
      },
    );

  withJson(jobs.command('retry').argument('<job>').description('ask the same again, as a job of its own'))
    .option('-f, --follow', 'show what it prints until it ends; Ctrl-C leaves it running')
    .action(async (typed: string, { follow, ...options }: JsonOption & FollowOption) => {
      const { api } = await connect(line);
      const job = await api.call('retryJob', { params: { id: (await findJob(api, typed)).id } });
      if (follow) await followLog(line, api, job, { ...options, style: styleOf(line) });
      else line.print(options, job, () => `${stateText(job)}: job ${shortId(job)}`);
    });
}

const runHelp = `
The prompt is one argument of the agent, whatever it holds; no shell sees it. One job at a time works in a thread; others wait.

Examples:
  spoonctl jobs run api/main --follow 'Make the tests pass, and commit'
  spoonctl jobs run api/feat/search < task.md`;

function addLooks(jobs: Command, line: CommandLine): void {
  withJson(jobs.command('list').alias('ls').description('list them, the newest first'))
    .option('--thread <spoon/branch>', 'those of one thread')
    .action(async ({ thread, ...options }: JsonOption & { thread?: string }) => {
      const { api } = await connect(line);
      const list = await api.call('listJobs', {
        query: thread === undefined ? {} : { thread: checkThreadName(thread) },
      });
      line.print(options, list, () =>
        list.jobs.length === 0
          ? 'There are none. Start one with: spoonctl jobs run SPOON/BRANCH "what to do"'
          : columns(
              ['JOB', 'STATE', 'THREAD', 'STARTED', 'CHANGES', 'PROMPT'],
              list.jobs.map((job) => [
                shortId(job),
                stateText(job),
                job.thread,
                formatTime(job.startedMs),
                changesText(job),
                job.title,
              ]),
            ),
      );
    });

  withJson(jobs.command('show').argument('<job>').description('its prompt, how it stands, and what it changed')).action(
    async (typed: string, options: JsonOption) => {
      const { api } = await connect(line);
      const details = await api.call('readJob', { params: { id: (await findJob(api, typed)).id } });
      line.print(options, details, () => detailsText(details));
    },
  );

  withJson(
    jobs.command('search').argument('<text>').description('lines of prompts and logs that hold a text, in any case'),
  )
    .option('--thread <spoon/branch>', 'those of one thread')
    .action(async (text: string, { thread, ...options }: JsonOption & { thread?: string }) => {
      const { api } = await connect(line);
      const body = { text, ...(thread === undefined ? {} : { thread: checkThreadName(thread) }) };
      const found = await api.call('searchJobs', { body });
      line.print(options, found, () =>
        found.matches
          .map((match) => `${match.job.slice(0, 8)}:${match.line ?? 'prompt'}: ${match.text}`)
          .concat(found.truncated ? ['There may be more. Say more of the text, or name a thread.'] : [])
          .join('\n'),
      );
      if (found.matches.length === 0) line.exitCode = 1;
    });
}

function addOutputs(jobs: Command, line: CommandLine): void {
  withJson(
    jobs.command('log').alias('logs').argument('<job>').description('what it printed, also when its box is gone'),
  )
    .option('-f, --follow', 'go on until it ends; Ctrl-C leaves it running')
    .option('--raw', 'as it came, with all that it may do to a terminal')
    .addHelpText('after', logHelp)
    .action(async (typed: string, { follow, raw, ...options }: JsonOption & FollowOption & { raw?: true }) => {
      const { api } = await connect(line);
      const job = await findJob(api, typed);
      const style = raw === true ? 'raw' : styleOf(line);
      if (follow) {
        await followLog(line, api, job, { ...options, style });
        return;
      }
      const format = style === 'plain' || options.json === true ? 'text' : 'raw';
      const { bytes } = await api.call('jobLog', { params: { id: job.id }, query: { format } });
      if (options.json) line.print(options, { job: job.id, log: Buffer.from(bytes).toString('utf8') }, () => '');
      else line.stdout.write(style === 'colours' ? coloured(bytes) : bytes);
    });

  jobs
    .command('diff')
    .argument('<job>')
    .description('what it changed in the folder of its thread, as a unified diff')
    .addHelpText('after', '\nExample:\n  spoonctl jobs diff 1f0c22ab | git apply')
    .action(async (typed: string) => {
      const { api } = await connect(line);
      const job = await findJob(api, typed);
      const [{ bytes }, { changes }] = await Promise.all([
        api.call('jobDiff', { params: { id: job.id } }),
        api.call('readJob', { params: { id: job.id } }),
      ]);
      // For a program byte for byte; on a terminal nothing in a file may act on it.
      const text = Buffer.from(bytes).toString('utf8').split('\t').map(safeText).join('\t');
      line.stdout.write(line.stdout.isTTY ? text : bytes);
      if (changes?.diffCut) line.note('It is longer than what is kept. The commits and files are all in the thread.');
    });
}

/** On a terminal nothing of what an agent prints may act on it. */
function styleOf(line: CommandLine): 'colours' | 'plain' {
  return line.stdout.isTTY === true ? 'colours' : 'plain';
}

function coloured(bytes: Uint8Array): string {
  const filter = new ColourFilter();
  return filter.add(bytes) + filter.add(undefined);
}

const logHelp = `
On a terminal with its colours and nothing else, elsewhere as plain text. With --follow the exit code is 0 for a job that succeeded, else 1.`;

function addEnds(jobs: Command, line: CommandLine): void {
  withJson(jobs.command('cancel').argument('<job>').description('end it, with everything it started')).action(
    async (typed: string, options: JsonOption) => {
      const { api } = await connect(line);
      const job = await api.call('cancelJob', { params: { id: (await findJob(api, typed)).id } });
      line.print(options, job, () => `Job ${shortId(job)}: ${stateText(job)}.`);
    },
  );

  withJson(jobs.command('rm').argument('[job]').description('forget one that has ended, with its log'))
    .option('--all', 'all that have ended')
    .action(async (typed: string | undefined, { all, ...options }: JsonOption & { all?: true }) => {
      if ((typed === undefined) === (all === undefined)) throw new UsageError('Give a job, or --all.');
      const { api } = await connect(line);
      if (typed === undefined) {
        const cleared = await api.call('clearJobs');
        line.print(options, cleared, () => `Forgot ${cleared.removed}.`);
        return;
      }
      const { id } = await findJob(api, typed);
      await api.call('removeJob', { params: { id } });
      line.print(options, { removed: id }, () => `Forgot ${id.slice(0, 8)}.`);
    });
}

async function readPrompt(line: CommandLine, words: readonly string[]): Promise<string> {
  if (words.length > 0) return words.join(' ');
  if (!isStdinGiven(line)) throw new UsageError('No prompt. Give it after the thread, or on stdin.');
  return (await readStdin(line)).toString('utf8');
}
