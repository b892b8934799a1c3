import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { DotfilesApi } from '../../client/dotfilesApi.ts';
import type { SaveBase } from '../../client/saveMany.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { parseFileMode } from '../../protocol/fileMode.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { type CommandLine, type JsonOption, UsageError, withJson } from '../commandLine.ts';
import { isStdinGiven, readLocalFile, readStdin } from '../readInput.ts';
import { addRepository } from '../repository.ts';
import { addDrift } from './drift.ts';
import { addEdit } from './edit.ts';
import { addHistory } from './history.ts';
import { countOf, noteSecrets, reach, secretsIn, versionOf, withApplied } from './reach.ts';
import { addSwitch } from './switch.ts';
import { dotfileTable, savedText } from './tables.ts';
import { addTransfer } from './transfer.ts';

interface PutOptions extends JsonOption {
  readonly from?: string;
  readonly mode?: string;
}

/** `spoonctl dotfiles …` */
export function addDotfiles(program: Command, line: CommandLine): void {
  const dotfiles = program.command('dotfiles').description('the dotfiles in your home');
  addRepository(dotfiles, line);

  withJson(dotfiles.command('ls').argument('[folder]').description('list them, or those below a folder')).action(
    async (folder: string | undefined, options: JsonOption) => {
      const { api, pathOf } = await reach(line);
      const prefix = folder === undefined ? undefined : pathOf(folder);
      const all = await api.list();
      const found = all
        .filter(({ path }) => prefix === undefined || path === prefix || path.startsWith(`${prefix}/`))
        .sort((a, b) => (a.path < b.path ? -1 : 1));
      if (prefix !== undefined && found.length === 0)
        throw new SpoonError('not-found', `Nothing is kept at ${prefix}.`);
      line.print(options, { dotfiles: found }, () => dotfileTable(found));
    },
  );

  withJson(dotfiles.command('get').argument('<path>').description('write the content to stdout'))
    .option('--version <number>', 'an older version')
    .action(async (typed: string, options: JsonOption & { version?: string }) => {
      const { api, pathOf } = await reach(line);
      const path = pathOf(typed);
      const content = await api.read(
        path,
        options.version === undefined ? {} : { version: versionOf(options.version) },
      );
      const { bytes, ...rest } = content;
      if (options.json === true) {
        line.print(options, { path, ...rest, base64: Buffer.from(bytes).toString('base64') }, () => '');
      } else {
        line.stdout.write(bytes);
      }
    });

  withJson(dotfiles.command('put').argument('<path>').description('create or replace one'))
    .option('--from <file>', 'where the content comes from; - is stdin')
    .addOption(new Option('--mode <octal>', 'permissions, such as 644 or 755'))
    .addHelpText('after', putHelp)
    .action(async (typed: string, options: PutOptions) => {
      const { api, pathOf } = await reach(line);
      const path = pathOf(typed);
      const given = options.mode === undefined ? undefined : parseFileMode(options.mode);
      const { bytes, mode } = await contentFor(line, path, options.from);
      const base = await baseOf(api, path);
      const saved = await api.save(path, bytes, { base, origin: 'spoonctl', kind: 'file', mode: given ?? mode });
      line.print(options, saved, () => savedText(saved));
      if (saved.dotfile.secretsSilenced === undefined) noteSecrets(line, secretsIn(path, bytes));
    });

  withJson(dotfiles.command('rm').argument('<path>').description('remove one; the box loses it too'))
    .option('-r, --recursive', 'a folder with everything below it')
    .action(async (typed: string, options: JsonOption & { recursive?: true }) => {
      const { api, pathOf } = await reach(line);
      const path = pathOf(typed);
      const removed = await api.remove(path, options.recursive === undefined ? {} : { recursive: true });
      line.print(options, removed, () => withApplied(`Removed ${countOf(removed.removed)}.`, removed.applied));
    });

  withJson(dotfiles.command('mv').argument('<from>').argument('<to>').description('rename or move a file or a folder'))
    .option('-f, --force', 'replace what is there')
    .action(async (from: string, to: string, options: JsonOption & { force?: true }) => {
      const { api, pathOf } = await reach(line);
      const moved = await api.move(pathOf(from), pathOf(to), options.force === undefined ? {} : { overwrite: true });
      line.print(options, moved, () => withApplied(`Moved ${countOf(moved.dotfiles.length)}.`, moved.applied));
    });

  addEdit(dotfiles, line);
  addHistory(dotfiles, line);
  addDrift(dotfiles, line);
  addTransfer(dotfiles, line);
  addSwitch(dotfiles, line);
}

const putHelp = `
Paths are relative to the home: .bashrc and ~/.bashrc are the same file, wherever you are.
Without --from, the content is what is piped in; with nothing piped in, it is the same file of
the home on this machine, with its permissions.

Examples:
  spoonctl dotfiles put ~/.bashrc
  spoonctl dotfiles put .config/git/config --from ./gitconfig
  printf 'export EDITOR=vim\\n' | spoonctl dotfiles put .profile --from -`;

async function contentFor(
  line: CommandLine,
  path: HomePath,
  from: string | undefined,
): Promise<{ bytes: Uint8Array; mode: number | undefined }> {
  if (from === '-') return { bytes: await readStdin(line), mode: undefined };
  // Another file says nothing about the permissions here: a temporary one is always 600.
  if (from !== undefined) return { bytes: (await readLocalFile(from)).bytes, mode: undefined };
  if (!isStdinGiven(line)) return await readLocalFile(join(line.homeDir, path));
  const bytes = await readStdin(line);
  if (bytes.length > 0) return { bytes, mode: undefined };
  throw new UsageError(
    'Nothing came on stdin. Name the file with --from FILE; to keep an empty one, --from /dev/null.',
  );
}

/** A put replaces what is there now; what changes between this and the save is refused by the service (412). */
async function baseOf(api: DotfilesApi, path: HomePath): Promise<SaveBase> {
  const found = (await api.list()).find((dotfile) => dotfile.path === path);
  return found === undefined ? 'create' : { etag: found.etag };
}
