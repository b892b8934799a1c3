import * as vscode from 'vscode';
import { formatFileMode } from '../../protocol/fileMode.ts';
import { asPlainText } from '../failure.ts';
import type { Entry } from './dotfileIndex.ts';
import { driftText } from './driftCommands.ts';
import { formatSize } from './formatSize.ts';
import type { HomeDotfiles } from './homeDotfiles.ts';

/** What a person is told of a dotfile: in its tooltip and by a screen reader. */

export function isExecutable({ kind, dotfile }: Entry): boolean {
  return kind === 'file' && dotfile !== undefined && (dotfile.mode & 0o111) !== 0;
}

const binaryNames =
  /.\.(png|jpe?g|gif|webp|ico|bmp|icns|ttf|otf|ttc|woff2?|eot|gz|tgz|xz|bz2|zst|zip|7z|jar|pdf|so|o|a|pyc|wasm|db|sqlite3?|kbx|gpg|mp3|ogg|wav|mo)$/i;

/** By its name, because the list of dotfiles has no contents. */
export function isBinaryName({ kind, name }: Entry): boolean {
  return kind === 'file' && binaryNames.test(name);
}

/** @param made who made what is in the box; empty where that is not known */
export function describeDotfile(entry: Entry, dotfiles: HomeDotfiles, made: string): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  // appendText: nothing that a service or a file name says is taken for markup.
  tooltip.appendText(`~/${entry.path}`);
  const lines = [...details(entry, dotfiles), made].filter((line) => line !== '');
  for (const line of lines) tooltip.appendText('\n').appendText(line);
  return tooltip;
}

function details(entry: Entry, dotfiles: HomeDotfiles): string[] {
  const { kind, dotfile, path } = entry;
  if (kind === 'directory') {
    const within = dotfiles.below(path).filter((other) => other.kind !== 'directory').length;
    const mode = dotfile === undefined ? [] : [modeText(dotfile.mode)];
    return [within === 1 ? vscode.l10n.t('Folder, 1 file') : vscode.l10n.t('Folder, {0} files', within), ...mode];
  }
  if (dotfile === undefined) return [];
  const changed = new Date(dotfile.modifiedMs).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  const facts =
    kind === 'symlink'
      ? vscode.l10n.t('Symbolic link')
      : [
          formatSize(dotfile.size),
          modeText(dotfile.mode),
          isExecutable(entry) ? vscode.l10n.t('executable') : '',
          isBinaryName(entry) ? vscode.l10n.t('binary') : '',
        ]
          .filter(Boolean)
          .join(', ');
  return [facts, vscode.l10n.t('Version {0}, changed {1}', dotfile.version, changed), stateText(path, dotfiles)].filter(
    (line) => line !== '',
  );
}

function modeText(mode: number): string {
  return vscode.l10n.t('mode {0}', formatFileMode(mode));
}

export function spokenDotfile(entry: Entry, dotfiles: HomeDotfiles): string {
  const kind = { file: vscode.l10n.t('file'), symlink: vscode.l10n.t('link'), directory: vscode.l10n.t('folder') };
  const parts = [
    entry.name,
    kind[entry.kind],
    isExecutable(entry) ? vscode.l10n.t('executable') : '',
    isBinaryName(entry) ? vscode.l10n.t('binary') : '',
    stateText(entry.path, dotfiles),
  ];
  return parts.filter(Boolean).join(', ');
}

/** Why a stored file is not, or not as it was, in the running box; empty when all is well. */
export function stateText(path: string, dotfiles: HomeDotfiles): string {
  const drift = dotfiles.drift(path);
  const problem = dotfiles.problem(path);
  if (drift !== undefined) {
    const why = problem?.state === 'refused' ? asPlainText(problem.detail ?? '') : '';
    return [driftText(drift), why].filter((text) => text !== '').join(' ');
  }
  if (problem === undefined) return '';
  const what: Record<string, string> = {
    conflict: vscode.l10n.t('A change made in the box was in the way; it is kept as an older version.'),
    refused: vscode.l10n.t('Stored, but it could not be written into the box.'),
    pending: vscode.l10n.t('Stored; the running box does not have it yet.'),
  };
  return [what[problem.state] ?? '', asPlainText(problem.detail ?? '')].filter((text) => text !== '').join(' ');
}
