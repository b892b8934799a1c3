import { type Command, Option } from 'commander';
import type { ApiClient } from '../client/apiClient.ts';
import { SpoonError } from '../protocol/errors.ts';
import type { CheckoutStatus, CreateThreadRequest, Thread, ThreadLosses, UpdateOutcome } from '../protocol/threads.ts';
import { cancelOnSignal } from './cancelOnSignal.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connect } from './connection.ts';
import { ask } from './prompt.ts';
import { showProgress } from './threadProgress.ts';
import { checkThreadName } from './typedPath.ts';

/** A start of the box with a whole overlay, then git with what an operator may allow it. */
export const gitTimeoutMs = 30 * 60_000;
const shownNames = 5;

interface NewOptions extends JsonOption {
  readonly url?: string;
  readonly new?: true;
  readonly existing?: true;
}

/** `spoonctl threads …` */
export function addThreads(program: Command, line: CommandLine): void {
  const threads = program.command('threads').description('branches, each in a folder of your home');

  withJson(threads.command('new').argument('<spoon>').argument('<branch>').description('check a branch out'))
    .option('--url <url>', 'the repository’s https:// address, where the spoon is not known yet')
    .addOption(
      new Option('--new', 'only if the branch is new; it starts from the default branch').conflicts('existing'),
    )
    .option('--existing', 'only if the repository has the branch')
    .addHelpText('after', newHelp)
    .action(async (spoon: string, branch: string, { url, new: isNew, existing, ...options }: NewOptions) => {
      const start = isNew === true ? 'new' : existing === true ? 'existing' : undefined;
      const body: CreateThreadRequest = {
        spoon,
        branch,
        ...(url === undefined ? {} : { url }),
        ...(start === undefined ? {} : { start }),
      };
      const { api } = await connect(line);
      const created = await withProgress(line, api, (signal) =>
        api.call('createThread', { body, timeoutMs: gitTimeoutMs, signal }),
      );
      line.print(options, created, () => [...created.notes, `~/${created.thread.folder}`].join('\n'));
    });

  withJson(threads.command('ls').description('list them, the last used first')).action(async (options: JsonOption) => {
    const { api } = await connect(line);
    const list = await api.call('listThreads', { query: { status: true } });
    line.print(options, list, () =>
      list.threads.length === 0
        ? 'There are none. Make one with: spoonctl threads new SPOON BRANCH --url URL'
        : columns(
            ['THREAD', 'STATE', 'LAST USED'],
            list.threads.map((thread) => [nameOf(thread), stateText(thread), formatTime(thread.usedMs)]),
          ),
    );
  });

  withJson(
    threads.command('update').argument('<thread>').description('fetch, and fast-forward where that loses nothing'),
  ).action(async (name: string, options: JsonOption) => {
    const { api } = await connect(line);
    const { id } = await threadNamed(api, name);
    const updated = await withProgress(line, api, (signal) =>
      api.call('updateThread', { params: { id }, timeoutMs: gitTimeoutMs, signal }),
    );
    line.print(options, updated, () => updateText(updated.update));
  });

  withJson(threads.command('rm').argument('<thread>').description('delete its checkout; asks if work would be lost'))
    .option('--yes', 'also if work would be lost')
    .action(async (name: string, { yes, ...options }: JsonOption & { yes?: true }) => {
      const { api } = await connect(line);
      const { id } = await threadNamed(api, name);
      const found = await api.call('threadLosses', { params: { id }, timeoutMs: gitTimeoutMs });
      const lost = lossLines(found);
      if (lost.length > 0 && yes !== true) await confirmLoss(line, name, lost);
      await api.call('removeThread', {
        params: { id },
        query: lost.length > 0 ? { confirm: found.losses.confirm } : {},
        timeoutMs: gitTimeoutMs,
      });
      line.print(options, { removed: name }, () => `Deleted ${name}.`);
    });
}

const newHelp = `
The branch is checked out at ~/Code/SPOON/BRANCH. What is there already is never replaced.

Examples:
  spoonctl threads new api main --url https://git.example.org/team/api
  spoonctl threads new api feat/search
  spoonctl terminal api/feat/search`;

export function nameOf({ spoon, branch }: Pick<Thread, 'spoon' | 'branch'>): string {
  return `${spoon}/${branch}`;
}

async function threadNamed(api: ApiClient, name: string): Promise<Thread> {
  const wanted = checkThreadName(name);
  const { threads } = await api.call('listThreads', { query: {} });
  const found = threads.find((thread) => nameOf(thread) === wanted);
  if (found === undefined) throw new SpoonError('thread-unknown', 'List them with: spoonctl threads ls');
  return found;
}

/** What takes minutes says how far it is, where a person watches, and ends with Ctrl-C. */
async function withProgress<T>(
  line: CommandLine,
  api: ApiClient,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cancel = cancelOnSignal();
  const progress = line.stderr.isTTY ? showProgress(line, api) : undefined;
  try {
    return await work(cancel.signal);
  } catch (error) {
    if (cancel.signal.aborted) throw new UsageError('Cancelled. Nothing was left behind.');
    throw error;
  } finally {
    progress?.close();
    cancel.close();
  }
}

async function confirmLoss(line: CommandLine, name: string, lost: readonly string[]): Promise<void> {
  if (!line.stdin.isTTY) {
    throw new SpoonError('work-would-be-lost', `${lost.join(' ')} Delete it all the same with --yes.`);
  }
  line.note(`Deleting ${name} loses what is nowhere else:`);
  for (const text of lost) line.note(`  ${text}`);
  const answer = await ask(line, 'Type the name of the thread to delete it: ');
  if (answer !== name) throw new UsageError('That is not its name. Nothing was deleted.');
}

function lossLines({ losses, terminals }: ThreadLosses): string[] {
  const some = (count: number, what: string, names: readonly string[]) =>
    count === 0
      ? []
      : [`${count} ${what}: ${names.slice(0, shownNames).join(', ')}${count > shownNames ? ', …' : ''}.`];
  const lost = losses.unreadable
    ? some(losses.unsavedCount, 'files and folders that git cannot read', losses.unsaved)
    : [
        ...some(losses.unpushedCount, 'commits that no remote has', losses.unpushed),
        ...some(losses.unsavedCount, 'files with unsaved changes', losses.unsaved),
        ...some(losses.stashesCount, 'stashes', losses.stashes),
        ...some(losses.ignoredCount, 'ignored files and folders', losses.ignored),
      ];
  return lost.length === 0 ? [] : [...lost, ...some(terminals.length, 'terminals are open in it', terminals)];
}

function stateText({ branch, status }: Thread): string {
  return status === null ? '-' : statusText(branch, status);
}

function statusText(branch: string, status: CheckoutStatus): string {
  if (status.state === 'missing') return 'not checked out';
  if (status.state === 'broken') return status.detail ?? 'git cannot read it';
  const more = (count: number, isMore: boolean) => `${count}${isMore ? '+' : ''}`;
  const parts = [
    ...(status.state === 'busy' ? ['git is at work'] : []),
    ...(status.branch === branch ? [] : [status.branch === null ? 'no branch' : `on ${status.branch}`]),
    ...(status.operation === undefined ? [] : [`in a ${status.operation}`]),
    ...(status.dirty === 0 ? [] : [`${more(status.dirty, status.dirtyMore)} changed`]),
    ...(status.unpushed === 0 ? [] : [`${more(status.unpushed, status.unpushedMore)} unpushed`]),
    ...(status.behind ? [`${status.behind} behind`] : []),
    ...(status.stashes === 0 ? [] : [`${status.stashes} stashed`]),
  ];
  return parts.length === 0 ? 'clean' : parts.join(', ');
}

function updateText({ result, commits, detail }: UpdateOutcome): string {
  const many = commits === 1 ? '1 commit' : `${commits} commits`;
  const said = {
    'up-to-date': 'Up to date.',
    'fast-forwarded': `Brought forward by ${many}.`,
    diverged: `Fetched ${many}; the branch was left as it is.`,
    blocked: `Fetched ${many}; the branch was left as it is.`,
    'no-upstream': 'Fetched. The branch follows none of the repository’s.',
  }[result];
  return detail === undefined ? said : `${said} ${detail}`;
}
