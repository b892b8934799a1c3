import * as vscode from 'vscode';
import { formatFileMode, parseFileMode } from '../../protocol/fileMode.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { failureText } from '../failure.ts';
import type { Entry } from './dotfileIndex.ts';
import type { DotfileNode } from './dotfilesTree.ts';
import { inParallel } from './inParallel.ts';

const atOnce = 4;

interface Choice extends vscode.QuickPickItem {
  readonly mode: number | undefined;
}

const fileModes: readonly [mode: number, meaning: string][] = [
  [0o644, vscode.l10n.t('Others may read it')],
  [0o600, vscode.l10n.t('Nobody else may read it')],
  [0o755, vscode.l10n.t('Executable')],
  [0o700, vscode.l10n.t('Executable, and nobody else may read it')],
];
const folderModes: readonly [mode: number, meaning: string][] = [
  [0o755, vscode.l10n.t('Others may look into it')],
  [0o700, vscode.l10n.t('Nobody else may look into it')],
];

/** *Change Mode…*: of files and of folders themselves; a link has none. */
export async function changeMode(current: CurrentConnection, nodes: readonly DotfileNode[]): Promise<void> {
  const connection = current.require();
  connection.requireReachable();
  const { dotfiles } = connection;
  const entries = nodes
    .map(({ path }) => dotfiles.entry(path))
    .filter((entry) => entry !== undefined && entry.kind !== 'symlink') as Entry[];
  const [only] = entries;
  if (only === undefined) return;
  const name = entries.length === 1 ? only.name : vscode.l10n.t('{0} items', entries.length);
  const mode = await askMode(name, entries);
  if (mode === undefined) return;
  await inParallel(entries, atOnce, async ({ path, dotfile }) => {
    if (dotfile?.mode !== mode) await dotfiles.setMode(path as HomePath, mode);
  });
}

async function askMode(name: string, entries: readonly Entry[]): Promise<number | undefined> {
  const title = vscode.l10n.t('Change Mode of {0}', name);
  const modes = new Set(entries.map(({ dotfile }) => dotfile?.mode));
  const isNow = (mode: number): boolean => modes.size === 1 && modes.has(mode);
  const known = entries.every(({ kind }) => kind === 'directory') ? folderModes : fileModes;
  const other: Choice = { label: vscode.l10n.t('Other…'), mode: undefined };
  const choices: Choice[] = known.map(([mode, meaning]) => ({
    label: formatFileMode(mode),
    description: isNow(mode) ? vscode.l10n.t('{0} (as it is)', meaning) : meaning,
    mode,
  }));
  const picked = await vscode.window.showQuickPick([...choices, other], { title, matchOnDescription: true });
  if (picked === undefined || picked.mode !== undefined) return picked?.mode;
  const [first] = modes;
  const typed = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t('Three octal digits, such as 640'),
    value: modes.size === 1 && first !== undefined ? formatFileMode(first) : '',
    validateInput: (text) => {
      try {
        parseFileMode(text.trim());
        return undefined;
      } catch (error) {
        return failureText(error);
      }
    },
  });
  return typed === undefined ? undefined : parseFileMode(typed.trim());
}
