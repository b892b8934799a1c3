import * as vscode from 'vscode';
import type { Connection } from '../connection/connection.ts';
import { accountOf, dotfileUri } from '../dotfiles/dotfileUri.ts';
import { asPlainText } from '../failure.ts';
import { readLines } from '../threadFolder/boxLines.ts';
import { threadUri } from '../threadFolder/threadUri.ts';
import {
  byFile,
  inMilliseconds,
  type SpentTime,
  type StartupProfile,
  StartupTrace,
  traceCommand,
} from './startupTrace.ts';

const shownLines = 100;
/** Less than this is not worth a line of the list. */
const worthMs = 0.5;

interface LineItem extends vscode.QuickPickItem {
  readonly spent?: SpentTime;
}

/** *Profile Shell Startup*: where the time goes until the first prompt, by file and line; a line opens its file. */
export async function profileShellStartup(connection: Connection): Promise<void> {
  const profile = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Starting your login shell twice, once with a trace…'),
      cancellable: true,
    },
    async (_, cancelled) => {
      const abort = new AbortController();
      cancelled.onCancellationRequested(() => abort.abort(new vscode.CancellationError()));
      return await trace(connection, abort.signal);
    },
  );
  if (typeof profile === 'string') {
    void vscode.window.showWarningMessage(profile);
    return;
  }
  const pick = vscode.window.createQuickPick<LineItem>();
  const shell = profile.shell.slice(profile.shell.lastIndexOf('/') + 1);
  pick.title = vscode.l10n.t('{0} starts in {1}', shell, inMilliseconds(profile.plainMs));
  pick.placeholder = vscode.l10n.t('Times are of a traced start, which took {0}', inMilliseconds(profile.tracedMs));
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.items = itemsOf(profile, connection);
  pick.onDidAccept(() => {
    const spent = pick.selectedItems[0]?.spent;
    const uri = spent === undefined ? undefined : uriOf(spent.file, connection);
    if (spent === undefined || uri === undefined) return;
    const at = new vscode.Position(Math.max(0, spent.line - 1), 0);
    void vscode.commands.executeCommand('vscode.open', uri, { selection: new vscode.Range(at, at) });
    pick.hide();
  });
  pick.onDidHide(() => pick.dispose());
  pick.show();
}

/** @returns what a person should know where there is no profile */
async function trace(connection: Connection, signal: AbortSignal): Promise<StartupProfile | string> {
  const reader = new StartupTrace();
  const request = { argv: [...traceCommand], cwd: '' };
  const { code, errors } = await readLines(
    connection.terminals,
    request,
    (line) => {
      reader.feed(line);
      return true;
    },
    signal,
  );
  if (code !== 0) return asPlainText(errors) || vscode.l10n.t('The shell could not be started.');
  return reader.profile() ?? vscode.l10n.t('The shell said nothing of its start.');
}

function itemsOf({ spent }: StartupProfile, connection: Connection): LineItem[] {
  const lines = spent.filter(({ ms }) => ms >= worthMs).slice(0, shownLines);
  const files = byFile(spent).filter(({ ms, file }) => ms >= worthMs && file !== '');
  const share = (ms: number): string => `$(watch) ${inMilliseconds(ms)}`;
  return [
    separator(vscode.l10n.t('By line')),
    ...lines.map((one) => ({
      label: share(one.ms),
      description: [placeOf(one, connection), one.runs > 1 ? vscode.l10n.t('{0} times', one.runs) : '']
        .filter(Boolean)
        .join(' · '),
      detail: asPlainText(one.command).replaceAll('$(', '$\u200b('),
      spent: one,
    })),
    separator(vscode.l10n.t('By file')),
    ...files.map(({ file, ms }) => ({
      label: share(ms),
      description: shorten(file, connection),
      spent: { file, line: 1, command: '', ms, runs: 1 },
    })),
  ];
}

function placeOf({ file, line }: SpentTime, connection: Connection): string {
  if (file === '') return vscode.l10n.t('the shell itself');
  return line > 0 ? `${shorten(file, connection)}:${line}` : shorten(file, connection);
}

function shorten(file: string, { box }: Connection): string {
  return box !== undefined && file.startsWith(`${box.home}/`) ? `~${file.slice(box.home.length)}` : file;
}

/** A dotfile as it is stored, where it is one; else the file in the home. Those of the image cannot be changed. */
function uriOf(file: string, { box, session, dotfiles }: Connection): vscode.Uri | undefined {
  if (box === undefined || !file.startsWith(`${box.home}/`)) return undefined;
  const path = file.slice(box.home.length + 1);
  const isDotfile = dotfiles.entry(path)?.kind === 'file';
  return isDotfile ? dotfileUri(accountOf(session), path) : threadUri(accountOf(session), path);
}

function separator(label: string): LineItem {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
