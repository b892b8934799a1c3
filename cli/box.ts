import type { Command } from 'commander';
import type { ApiClient } from '../client/apiClient.ts';
import type { Box } from '../protocol/boxes.ts';
import { SpoonError } from '../protocol/errors.ts';
import type { Terminal } from '../protocol/terminals.ts';
import { type CommandLine, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connect } from './connection.ts';
import { parseKeepTime } from './keepTime.ts';
import { ask } from './prompt.ts';
import { boxText } from './status.ts';

/** A start writes the whole overlay; a stop lets programs end. */
const changeTimeoutMs = 180_000;

interface KeepOptions extends JsonOption {
  readonly off?: true;
}

/** `spoonctl box …` */
export function addBox(program: Command, line: CommandLine): void {
  const box = program.command('box').description('your box');
  const verbs = {
    status: { route: 'box', description: 'its state, who holds it and when it stops' },
    start: { route: 'startBox', description: 'start it, or wait until it is up' },
    stop: { route: 'stopBox', description: 'stop it and everything in it; the home stays' },
  } as const;
  for (const [verb, { route, description }] of Object.entries(verbs)) {
    withJson(box.command(verb).description(description)).action(async (options: JsonOption) => {
      const { api } = await connect(line);
      show(line, options, await api.call(route, { timeoutMs: changeTimeoutMs }));
    });
  }

  withJson(box.command('restart').description('end everything in it and start a new one; the home stays'))
    .option('--yes', 'also while something runs in it')
    .action(async ({ yes, ...options }: JsonOption & { yes?: true }) => {
      const { api } = await connect(line);
      if (yes !== true) await confirmEnd(line, api);
      show(line, options, await api.call('restartBox', { timeoutMs: changeTimeoutMs }));
    });

  withJson(box.command('keep').argument('[until]').description('keep it up until then, whatever runs in it'))
    .option('--off', 'let it stop again when nothing holds it')
    .addHelpText('after', keepHelp)
    .action(async (until: string | undefined, { off, ...options }: KeepOptions) => {
      if ((until === undefined) === (off === undefined)) throw new UsageError('Say until when, or --off.');
      const body = until === undefined ? undefined : { untilMs: parseKeepTime(until, new Date()) };
      const { api } = await connect(line);
      const answer = body === undefined ? await api.call('unpinBox') : await api.call('pinBox', { body });
      show(line, options, answer);
    });
}

const keepHelp = `
At most a week ahead.

Examples:
  spoonctl box keep 4h
  spoonctl box keep 18:30
  spoonctl box keep 2030-01-31T09:00
  spoonctl box keep --off`;

function show(line: CommandLine, options: JsonOption, box: Box): void {
  line.print(options, box, () => `Box       ${boxText(box)}`);
}

/** What would be ended is named to a person; a program says `--yes`. */
async function confirmEnd(line: CommandLine, api: ApiClient): Promise<void> {
  const terminals = await runningTerminals(api);
  if (terminals?.length === 0) return;
  const many =
    terminals === undefined
      ? 'Your box does not answer. Whatever runs in it would end'
      : `${terminals.length === 1 ? 'A terminal runs' : `${terminals.length} terminals run`} in your box and would end`;
  if (!line.stdin.isTTY) throw new UsageError(`${many}. To restart it all the same: --yes`);
  line.note(`${many}${terminals === undefined ? '.' : ':'}`);
  for (const { thread, title, createdMs } of terminals ?? []) {
    line.note(`  ${thread ?? '~'}  ${title}, since ${formatTime(createdMs)}`);
  }
  if (!/^y(es)?$/i.test(await ask(line, 'Restart it? [y/N] '))) throw new UsageError('Nothing was changed.');
}

/** Undefined where the box does not say. */
async function runningTerminals(api: ApiClient): Promise<Terminal[] | undefined> {
  try {
    return (await api.call('listTerminals')).terminals;
  } catch (error) {
    if (error instanceof SpoonError && error.code === 'box-unavailable') return undefined;
    throw error;
  }
}
