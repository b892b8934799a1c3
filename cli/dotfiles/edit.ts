import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { DotfileContent } from '../../client/dotfilesApi.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { type CommandLine, type JsonOption, UsageError, withJson } from '../commandLine.ts';
import { noteSecrets, reach, secretsIn } from './reach.ts';
import { savedText } from './tables.ts';

/** `spoonctl dotfiles edit` */
export function addEdit(dotfiles: Command, line: CommandLine): void {
  withJson(dotfiles.command('edit').argument('<path>').description('edit one in $VISUAL or $EDITOR'))
    .addHelpText('after', editHelp)
    .action(async (typed: string, options: JsonOption) => {
      const { api, pathOf } = await reach(line);
      const path = pathOf(typed);
      const before = await api.read(path).catch(noneYet);
      if (before !== undefined && before.kind !== 'file') throw new UsageError(`${path} is a ${before.kind}.`);
      const bytes = await edited(line, basename(path), before?.bytes ?? new Uint8Array());
      if (bytes.file === undefined) {
        line.print(options, { changed: false }, () => 'Nothing was changed.');
        return;
      }
      try {
        const base = before === undefined ? 'create' : { etag: before.etag };
        const saved = await api.save(path, bytes.file, { base, origin: 'spoonctl' });
        line.print(options, saved, () => savedText(saved));
        if (saved.dotfile.secretsSilenced === undefined) noteSecrets(line, secretsIn(path, bytes.file));
        await bytes.discard();
      } catch (error) {
        if (!(error instanceof SpoonError)) throw error;
        noteKept(line, bytes.place);
        throw error;
      }
    });
}

const editHelp = `
A dotfile that is not there yet is made. When somebody saved it meanwhile, nothing is overwritten and your
text stays in a file that is named; so it does when the editor fails.`;

function noneYet(error: unknown): undefined | DotfileContent {
  if (error instanceof SpoonError && error.code === 'not-found') return undefined;
  throw error;
}

function noteKept(line: CommandLine, place: string): void {
  line.note(`Your text is in ${place} until you remove it.`);
}

/** What the editor made of it; `file` is undefined where it is the same. */
async function edited(
  line: CommandLine,
  name: string,
  before: Uint8Array,
): Promise<{ file: Uint8Array | undefined; place: string; discard: () => Promise<void> }> {
  const { env, stdin } = line;
  const editor = [env.VISUAL, env.EDITOR].find((command) => command !== undefined && command.trim() !== '');
  if (editor === undefined && !stdin.isTTY) throw new UsageError('Set EDITOR to the editor that you want.');
  const folder = await mkdtemp(join(tmpdir(), 'spoonctl-edit-'));
  const discard = () => rm(folder, { recursive: true });
  // A leading dash would be an option to the editor, and its own name tells it the language.
  const place = join(folder, name);
  await writeFile(place, before, { mode: 0o600 });
  // As git does: EDITOR may be a command with options.
  const child = spawn('sh', ['-c', `${editor ?? 'vi'} "$@"`, 'sh', place], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  // One that removed the file has left nothing to keep.
  const after = await readFile(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return before;
    throw error;
  });
  const isChanged = !Buffer.from(before).equals(after);
  if (!isChanged) await discard();
  if (code !== 0) {
    if (isChanged) noteKept(line, place);
    throw new UsageError(`The editor ended with ${code ?? 'a signal'}. Nothing was saved.`);
  }
  return { file: isChanged ? after : undefined, place, discard };
}
