import { stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { DotfilesApi } from '../../client/dotfilesApi.ts';
import type { FileToSave } from '../../client/saveMany.ts';
import type { BatchOutcome, Dotfile, ImportResult, OnExisting } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxArchiveBytes } from '../../protocol/limits.ts';
import { type CommandLine, type JsonOption, UsageError, withJson } from '../commandLine.ts';
import { exitCodes } from '../exitCodes.ts';
import { PartialFile } from '../partialFile.ts';
import { ask } from '../prompt.ts';
import { systemReason } from '../systemReason.ts';
import { type LocalFile, readLocalFolder } from './localFolder.ts';
import { Progress } from './progress.ts';
import { countOf, noteSecrets, reach, secretsIn } from './reach.ts';
import { readArchiveFile } from './readArchiveFile.ts';

interface ImportOptions extends JsonOption {
  readonly to?: string;
  readonly replace?: true;
  readonly keep?: true;
}

/** What became of an import, for people and programs. */
interface Imported {
  saved: number;
  unchanged: number;
  kept: string[];
  ignored: string[];
  refused: { path: string; why: string }[];
  secrets: { path: string; what: string; line: number }[];
}

/** `spoonctl dotfiles import` and `export` */
export function addTransfer(dotfiles: Command, line: CommandLine): void {
  withJson(
    dotfiles.command('import').argument('<source>').description('keep a whole folder, or a tar archive, of dotfiles'),
  )
    .option('--to <folder>', 'where in the home; the home itself by default')
    .option('--replace', 'replace what is kept already, without asking')
    .option('--keep', 'leave what is kept already as it is, without asking')
    .addHelpText('after', importHelp)
    .action(async (source: string, options: ImportOptions) => {
      if (options.replace && options.keep) throw new UsageError('Give either --replace or --keep.');
      const { api, pathOf } = await reach(line);
      const isFolder = source !== '-' && (await kindOf(source)) === 'folder';
      if (!isFolder && options.to !== undefined)
        throw new UsageError('--to is for folders; an archive names its paths.');
      const below = options.to === undefined ? '' : pathOf(options.to);
      const imported = isFolder
        ? await importFolder(line, api, { folder: resolve(source), below, options })
        : await importArchive(line, api, source, options);
      line.print(options, imported, () => importedText(imported));
      if (options.json !== true) noteSecrets(line, imported.secrets);
      if (imported.refused.length > 0) line.exitCode = exitCodes.refused;
    });

  dotfiles
    .command('export')
    .argument('[file]')
    .description('all dotfiles as a tar archive, to a file or to stdout')
    .addHelpText('after', exportHelp)
    .action(async (file: string | undefined) => {
      if (file === undefined && line.stdout.isTTY) {
        throw new UsageError('An archive is no text. Name a file, or pipe it: spoonctl dotfiles export | tar -t');
      }
      const { api } = await reach(line);
      const archive = await api.export();
      if (file === undefined) line.stdout.write(archive);
      else {
        await writeWhole(file, archive);
        line.note(`Wrote ${file}.`);
      }
    });
}

const importHelp = `
A folder goes in file by file: what is refused is listed with its reason, the rest is kept. An archive (tar,
also in gzip) goes in wholly or not at all. .git, node_modules, editors' swap files and the like are left out.

Examples:
  spoonctl dotfiles import ~/dotfiles
  spoonctl dotfiles import ./nvim --to .config/nvim --replace
  chezmoi archive | spoonctl dotfiles import -`;

const exportHelp = `
Examples:
  spoonctl dotfiles export dotfiles.tar
  spoonctl dotfiles export | tar -x -C ~`;

async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const partial = await PartialFile.of(file);
  try {
    await writeFile(partial.path, bytes, { flag: partial.flags, mode: 0o600 });
    await partial.commit();
  } catch (error) {
    await partial.discard();
    throw new UsageError(`${file} cannot be written: ${systemReason(error)}.`);
  }
}

async function kindOf(source: string): Promise<'folder' | 'file'> {
  try {
    return (await stat(source)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    throw new UsageError(`${source} cannot be read: ${systemReason(error)}.`);
  }
}

async function importFolder(
  line: CommandLine,
  api: DotfilesApi,
  { folder, below, options }: { folder: string; below: string; options: ImportOptions },
): Promise<Imported> {
  const { files, ignored, refused } = await readLocalFolder(folder, below);
  const known = new Map((await api.list()).map((dotfile) => [dotfile.path, dotfile]));
  const { same, differing } = await compare(api, files, known);
  const isKept = differing.size > 0 && !(await mayReplace(line, options, differing));
  const imported: Imported = { saved: 0, unchanged: same.size, kept: [], ignored, refused, secrets: [] };
  const wanted = files.filter(({ path }) => !same.has(path) && !(isKept && differing.has(path)));
  if (isKept) imported.kept.push(...differing);
  const progress = new Progress(line, wanted);
  const silenced = (path: string) => known.get(path)?.secretsSilenced === true;
  const toSave = wanted.map((file): FileToSave => {
    const there = known.get(file.path);
    const bytes = async () => {
      const read = await file.bytes();
      if (file.kind === 'file' && !silenced(file.path)) imported.secrets.push(...secretsIn(file.path, read));
      return read;
    };
    return { ...file, base: there === undefined ? 'create' : { etag: there.etag }, bytes };
  });
  try {
    await api.saveMany(toSave, {
      origin: 'import',
      onOutcomes: (outcomes) => {
        count(outcomes, imported);
        progress.done(outcomes.map(({ path }) => path));
      },
    });
  } catch (error) {
    progress.end();
    line.note(`${countOf(imported.saved)} of ${wanted.length} were saved before it ended. Import again to go on.`);
    throw error;
  }
  progress.end();
  return imported;
}

function count(outcomes: readonly BatchOutcome[], imported: Imported): void {
  for (const outcome of outcomes) {
    if ('refused' in outcome) {
      const { title, detail } = outcome.refused;
      imported.refused.push({ path: outcome.path, why: detail === undefined ? title : `${title} ${detail}` });
    } else if (outcome.changed) imported.saved++;
    else imported.unchanged++;
  }
}

/** Which of the files are kept already, with the same bytes and with others. */
async function compare(
  api: DotfilesApi,
  files: readonly LocalFile[],
  known: ReadonlyMap<string, Dotfile>,
): Promise<{ same: Set<string>; differing: Set<string> }> {
  const same = new Set<string>();
  const differing = new Set<string>();
  for (const file of files) {
    const there = known.get(file.path);
    if (there === undefined) continue;
    const mayBeSame =
      there.kind === file.kind && there.size === file.size && (file.kind === 'symlink' || there.mode === file.mode);
    const isSame = mayBeSame && Buffer.from((await api.read(file.path)).bytes).equals(await file.bytes());
    (isSame ? same : differing).add(file.path);
  }
  return { same, differing };
}

async function importArchive(
  line: CommandLine,
  api: DotfilesApi,
  source: string,
  options: ImportOptions,
): Promise<Imported> {
  const archive = await readArchiveFile(line, source, maxArchiveBytes);
  const first: OnExisting = options.replace ? 'replace' : options.keep ? 'keep' : 'refuse';
  const send = (existing: OnExisting): Promise<ImportResult> => api.import(archive, { existing });
  const result = await send(first).catch(async (error: unknown) => {
    if (first !== 'refuse' || !(error instanceof SpoonError) || error.code !== 'file-exists') throw error;
    const count = Number(error.extra.count ?? 1);
    return await send((await mayReplace(line, options, { size: count })) ? 'replace' : 'keep');
  });
  const { saved, unchanged, kept, ignored, secrets } = result;
  return { saved, unchanged, kept, ignored, refused: [], secrets };
}

/** Asked once, for all. */
async function mayReplace(line: CommandLine, options: ImportOptions, { size }: { size: number }): Promise<boolean> {
  if (options.replace) return true;
  if (options.keep) return false;
  const what = `${countOf(size)} with another content ${size === 1 ? 'is' : 'are'} kept already.`;
  if (!line.stdin.isTTY) throw new UsageError(`${what} Give --replace or --keep. Nothing was changed.`);
  const answer = await ask(line, `${what} Replace? Their versions are kept. [y/N] `);
  return /^y(es)?$/i.test(answer);
}

function importedText({ saved, unchanged, kept, ignored, refused }: Imported): string {
  const also = [
    ...(unchanged > 0 ? [`${unchanged} unchanged`] : []),
    ...(kept.length > 0 ? [`${kept.length} left as they were`] : []),
    ...(ignored.length > 0
      ? [`${ignored.length} left out (${[...new Set(ignored.map(lastName))].slice(0, 5).join(', ')})`]
      : []),
    ...(refused.length > 0 ? [`${refused.length} refused`] : []),
  ];
  const first = `Saved ${countOf(saved)}${also.length > 0 ? `; ${also.join(', ')}` : ''}.`;
  return [first, ...refused.map(({ path, why }) => `  ${path}: ${why}`)].join('\n');
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
