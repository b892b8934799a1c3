import type { Command } from 'commander';
import { SpoonError } from '../../protocol/errors.ts';
import { type CommandLine, columns, formatTime, type JsonOption, withJson } from '../commandLine.ts';
import { type Reached, reach, removedAt, versionOf } from './reach.ts';
import { showDifference } from './showDifference.ts';
import { historyTable, modeText, savedText } from './tables.ts';

interface VersionOption extends JsonOption {
  readonly version?: string;
}

/** `spoonctl dotfiles history`, `deleted`, `restore` and `diff` */
export function addHistory(dotfiles: Command, line: CommandLine): void {
  withJson(
    dotfiles.command('history').argument('<path>').description('the versions that are kept, also of a removed one'),
  ).action(async (typed: string, options: JsonOption) => {
    const reached = await reach(line);
    const path = reached.pathOf(typed);
    const history = await liveOrRemoved(reached, typed, (name) => reached.api.history(name));
    line.print(options, history, () => {
      const removed = history.deletedMs === undefined ? '' : `${path} was removed ${formatTime(history.deletedMs)}.\n`;
      return removed + historyTable(history.versions);
    });
  });

  withJson(dotfiles.command('deleted').description('the removed ones that can be restored')).action(
    async (options: JsonOption) => {
      const { api } = await reach(line);
      const deleted = await api.deleted();
      line.print(options, { dotfiles: deleted }, () =>
        deleted.length === 0
          ? 'Nothing was removed in the last 90 days.'
          : columns(
              ['MODE', 'SIZE', 'VERSION', 'REMOVED', 'KEPT UNTIL', 'PATH'],
              deleted.map((dotfile) => [
                modeText(dotfile),
                dotfile.size,
                dotfile.version,
                formatTime(dotfile.deletedMs),
                formatTime(dotfile.forgottenMs),
                dotfile.path,
              ]),
            ),
      );
    },
  );

  withJson(
    dotfiles.command('restore').argument('<path>').description('bring back an older version, or a removed dotfile'),
  )
    .option('--version <number>', 'which one; of a removed dotfile the last by default')
    .addHelpText('after', restoreHelp)
    .action(async (typed: string, { version, ...options }: VersionOption) => {
      const { api, pathOf } = await reach(line);
      const wanted = version === undefined ? {} : { version: versionOf(version) };
      const restored = await api.restore(pathOf(typed), wanted);
      line.print(options, restored, () => savedText(restored));
    });

  dotfiles
    .command('diff')
    .argument('<path>')
    .description('what an older version, or the home of the running box, has otherwise')
    .option('--version <number>', 'compare with this version instead of what is in the home')
    .option('--to <number>', 'the other side; the current version by default')
    .addHelpText('after', diffHelp)
    .action(async (typed: string, options: { version?: string; to?: string }) => {
      const reached = await reach(line);
      const { api, pathOf } = reached;
      const path = pathOf(typed);
      const to = options.to === undefined ? undefined : versionOf(options.to);
      const current = await liveOrRemoved(reached, typed, (name) =>
        api.read(name, to === undefined ? {} : { version: to }),
      );
      const currentSide = { label: `${path} (version ${current.version})`, ...current };
      if (options.version === undefined) {
        const home = await api.readHome(path);
        const difference = { from: currentSide, to: { label: `${path} (in the home)`, ...home } };
        line.exitCode = await showDifference(line, difference);
        return;
      }
      const version = versionOf(options.version);
      const older = await liveOrRemoved(reached, typed, (name) => api.read(name, { version }));
      const label = `${path} (version ${version})`;
      line.exitCode = await showDifference(line, { from: { label, ...older }, to: currentSide });
    });
}

const restoreHelp = `
Restoring makes a new version; nothing is lost by it.

Examples:
  spoonctl dotfiles restore ~/.bashrc --version 3
  spoonctl dotfiles restore ~/.config/removed.conf`;

const diffHelp = `
Ends with 0 when both are the same, with 1 when they differ, as diff(1) does.

Examples:
  spoonctl dotfiles diff ~/.bashrc                what was changed by hand in the box
  spoonctl dotfiles diff ~/.bashrc --version 3    what has changed since version 3`;

/** What is at the path, else what was removed there last. */
async function liveOrRemoved<T>(
  { api, pathOf }: Reached,
  typed: string,
  ask: (name: string | { id: string }) => Promise<T>,
): Promise<T> {
  const path = pathOf(typed);
  try {
    return await ask(path);
  } catch (error) {
    if (!(error instanceof SpoonError) || error.code !== 'not-found') throw error;
    const removed = await removedAt(api, path).catch(() => undefined);
    if (removed === undefined) throw error;
    return await ask(removed);
  }
}
