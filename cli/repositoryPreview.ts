import type { Command } from 'commander';
import { previewText } from '../client/previewText.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError } from './commandLine.ts';
import { connect } from './connection.ts';
import { typedHomePath } from './typedPath.ts';

type Verb = (name: string, description: string) => Command;

interface PreviewOptions extends JsonOption {
  readonly update?: true;
  readonly generation?: number;
}

/** A clone that is looked at, and a start of the box. */
const callTimeoutMs = 240_000;

/** `spoonctl dotfiles repo preview` and `generations` */
export function addRepositoryPreview(verb: Verb, line: CommandLine): void {
  verb('preview', 'what a run would write, link and remove, and what it would run; changes nothing')
    .option('--update', 'of what the ref points to now')
    .option('--generation <number>', 'of going back to this one', numberOf)
    .action(async ({ update, generation, ...options }: PreviewOptions) => {
      if (update && generation !== undefined) throw new UsageError('Give --update or --generation, not both.');
      const { api } = await connect(line);
      const body = { ...(update && { update }), ...(generation === undefined ? {} : { generation }) };
      const preview = await api.call('previewRepository', { body, timeoutMs: callTimeoutMs });
      line.print(options, preview, () => previewText(preview).join('\n'));
    });

  verb('generations', 'the applies that ended well, to go back to').action(async (options: JsonOption) => {
    const { api } = await connect(line);
    const list = await api.call('repositoryGenerations');
    line.print(options, list, () =>
      columns(
        ['NUMBER', 'COMMIT', 'APPLIED', 'REPOSITORY', 'RAN'],
        list.generations.map(({ number, commit, endedMs, settings, script }) => [
          `${number}${number === list.current ? ' *' : ''}`,
          commit.slice(0, 12),
          formatTime(endedMs),
          settings.url,
          script ?? 'links',
        ]),
      ),
    );
  });
}

/** `spoonctl dotfiles repo rollback N --file PATH` */
export async function rollBackFile(
  line: CommandLine,
  options: JsonOption,
  { generation, typed }: { generation: number; typed: string },
): Promise<void> {
  if (generation === 0) throw new UsageError('Before any generation there is no file to go back to.');
  const { api, username } = await connect(line);
  const path = typedHomePath(typed, { localHome: line.homeDir, username });
  const rolledBack = await api.call('rollBackRepositoryFile', { body: { generation, path }, timeoutMs: callTimeoutMs });
  line.print(options, rolledBack, () => rolledBack.notes.join('\n'));
}

export function numberOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError('A generation is a number, as spoonctl dotfiles repo generations lists them.');
}
