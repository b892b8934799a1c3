import type { Command } from 'commander';
import type { ApiClient } from '../client/apiClient.ts';
import { SpoonError } from '../protocol/errors.ts';
import type { Spoon } from '../protocol/threads.ts';
import { type CommandLine, columns, type JsonOption, withJson } from './commandLine.ts';
import { connect } from './connection.ts';
import { gitTimeoutMs } from './threads.ts';

interface AddOptions extends JsonOption {
  readonly name?: string;
  readonly branch?: string;
}

/** `spoonctl spoons …` */
export function addSpoons(program: Command, line: CommandLine): void {
  const spoons = program.command('spoons').description('the repositories that your threads are made of');

  withJson(spoons.command('ls').description('list them')).action(async (options: JsonOption) => {
    const { api } = await connect(line);
    const list = await api.call('listSpoons');
    line.print(options, list, () =>
      list.spoons.length === 0
        ? 'There are none. Add one with: spoonctl spoons add URL'
        : columns(
            ['NAME', 'THREADS', 'DEFAULT BRANCH', 'ADDRESS'],
            list.spoons.map(({ name, threads, defaultBranch, url }) => [name, threads, defaultBranch ?? '-', url]),
          ),
    );
  });

  withJson(spoons.command('add').argument('<url>').description('a repository, by its https:// address'))
    .option('--name <name>', 'what to call it; made from the address when left out')
    .option('--branch <branch>', 'what new branches start from; the repository’s own default when left out')
    .action(async (url: string, { name, branch, ...options }: AddOptions) => {
      const { api } = await connect(line);
      const body = {
        url,
        ...(name === undefined ? {} : { name }),
        ...(branch === undefined ? {} : { defaultBranch: branch }),
      };
      const spoon = await api.call('createSpoon', { body });
      line.print(
        options,
        spoon,
        () => `Added ${spoon.name}. A thread of it: spoonctl threads new ${spoon.name} BRANCH`,
      );
    });

  withJson(
    spoons.command('branches').argument('<name>').description('the branches that its repository has now'),
  ).action(async (name: string, options: JsonOption) => {
    const { api } = await connect(line);
    const { id } = await spoonNamed(api, name);
    const list = await api.call('listBranches', { params: { id }, timeoutMs: gitTimeoutMs });
    line.print(options, list, () =>
      [...list.branches, ...(list.truncated ? ['… and more'] : [])]
        .map((branch) => (branch === list.defaultBranch ? `${branch} (default)` : branch))
        .join('\n'),
    );
  });

  withJson(spoons.command('rm').argument('<name>').description('forget one that has no threads')).action(
    async (name: string, options: JsonOption) => {
      const { api } = await connect(line);
      const { id } = await spoonNamed(api, name);
      await api.call('removeSpoon', { params: { id } });
      line.print(options, { removed: name }, () => `Forgot ${name}. Nothing in your home was changed.`);
    },
  );
}

async function spoonNamed(api: ApiClient, name: string): Promise<Spoon> {
  const { spoons } = await api.call('listSpoons');
  const found = spoons.find((spoon) => spoon.name === name);
  if (found === undefined) throw new SpoonError('spoon-unknown', 'List them with: spoonctl spoons ls');
  return found;
}
