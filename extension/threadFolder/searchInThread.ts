import * as vscode from 'vscode';
import type { Thread } from '../../protocol/threads.ts';
import type { Connection } from '../connection/connection.ts';
import { accountOf } from '../dotfiles/dotfileUri.ts';
import { asPlainText, failureText, isCancellation } from '../failure.ts';
import { threadName } from '../threads/homeThreads.ts';
import { readLines } from './boxLines.ts';
import { bestPaths } from './fileMatches.ts';
import { characterOf, listFilesCommand, parseMatch, type SearchMatch, searchCommand } from './searchOutput.ts';
import { threadUri } from './threadUri.ts';

const maxShown = 200;
/** Their names are about 4 MiB; beyond it *Search in Thread…* and a terminal are the better tools. */
const maxFiles = 50_000;
/** Between the keys of somebody who types on. */
const pauseMs = 120;
const maxPreviewLength = 160;

interface FoundItem extends vscode.QuickPickItem {
  readonly path?: string;
  readonly match?: SearchMatch;
}

/** *Search in Thread…*: ripgrep in the box, anew for each key, the search before it cancelled. */
export async function searchInThread(connection: Connection, thread: Thread): Promise<void> {
  let running = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const find = async (pick: vscode.QuickPick<FoundItem>, typed: string, signal: AbortSignal): Promise<void> => {
    const found: FoundItem[] = [];
    const { code, errors } = await readLines(
      connection.terminals,
      { argv: searchCommand(typed), cwd: thread.folder },
      (line) => {
        const match = parseMatch(line);
        if (match !== undefined) found.push(foundItem(match));
        return found.length < maxShown;
      },
      signal,
    );
    if (signal.aborted) return;
    // 1: nothing found. 2 with matches: something could not be read, which is no reason to show nothing.
    if (code !== null && code > 1 && found.length === 0) found.push(hint(asPlainText(errors.split('\n')[0] ?? '')));
    if (found.length === 0) found.push(hint(vscode.l10n.t('Nothing found')));
    if (code === null) found.push(hint(vscode.l10n.t('There is more; type more to narrow it down')));
    pick.items = found;
  };
  await livePick({
    title: vscode.l10n.t('Search in {0}', threadName(thread)),
    placeholder: vscode.l10n.t('Text, or a regular expression as /…/'),
    changed: (pick) => {
      clearTimeout(timer);
      running.abort(new vscode.CancellationError());
      const abort = new AbortController();
      running = abort;
      const typed = pick.value;
      pick.busy = typed.length >= 2;
      if (typed.length < 2) {
        pick.items = [];
        return;
      }
      timer = setTimeout(() => {
        find(pick, typed, abort.signal)
          .catch((error) => {
            if (!isCancellation(error)) pick.items = [hint(failureText(error))];
          })
          .finally(() => {
            if (running === abort) pick.busy = false;
          });
      }, pauseMs);
    },
    closed: () => {
      clearTimeout(timer);
      running.abort(new vscode.CancellationError());
    },
    open: (item, inBackground) => open(connection, thread, item, inBackground),
  });
}

/** *Go to File in Thread…*: all names once, from fd in the box; what is typed is looked up here. */
export async function goToFileInThread(connection: Connection, thread: Thread): Promise<void> {
  const stop = new AbortController();
  const files: string[] = [];
  let note: string | undefined;
  const show = (pick: vscode.QuickPick<FoundItem>): void => {
    const best = bestPaths(files, pick.value, maxShown).map((path) => fileItem(connection, thread, path));
    pick.items = note === undefined ? best : [...best, hint(note)];
  };
  await livePick({
    title: vscode.l10n.t('Go to File in {0}', threadName(thread)),
    placeholder: vscode.l10n.t('Letters of the path'),
    opened: (pick) => {
      pick.busy = true;
      let shown = 0;
      readLines(
        connection.terminals,
        { argv: [...listFilesCommand], cwd: thread.folder },
        (line) => {
          files.push(line.replace(/^\.\//, ''));
          // The first screenful at once, the rest when it is all there.
          if (files.length === maxShown || files.length > shown * 8) {
            shown = files.length;
            show(pick);
          }
          return files.length < maxFiles;
        },
        stop.signal,
      )
        .then(({ code, errors }) => {
          if (code === null) note = vscode.l10n.t('Only the first {0} files are looked at', maxFiles);
          else if (code !== 0 && files.length === 0) note = asPlainText(errors) || vscode.l10n.t('No files found');
        })
        .catch((error) => {
          if (!isCancellation(error)) note = failureText(error);
        })
        .finally(() => {
          pick.busy = false;
          show(pick);
        });
    },
    changed: show,
    closed: () => stop.abort(new vscode.CancellationError()),
    open: (item, inBackground) => open(connection, thread, item, inBackground),
  });
}

interface LivePick {
  readonly title: string;
  readonly placeholder: string;
  readonly opened?: (pick: vscode.QuickPick<FoundItem>) => void;
  readonly changed: (pick: vscode.QuickPick<FoundItem>) => void;
  readonly closed: () => void;
  readonly open: (item: FoundItem, inBackground: boolean) => Promise<void>;
}

async function livePick({ title, placeholder, opened, changed, closed, open: openItem }: LivePick): Promise<void> {
  const pick = vscode.window.createQuickPick<FoundItem>();
  pick.title = title;
  pick.placeholder = placeholder;
  pick.onDidChangeValue(() => changed(pick));
  pick.onDidTriggerItemButton(({ item }) => void openItem(item, true));
  try {
    const chosen = await new Promise<FoundItem | undefined>((resolve) => {
      pick.onDidAccept(() => {
        const [item] = pick.selectedItems;
        if (item?.path !== undefined) resolve(item);
      });
      pick.onDidHide(() => resolve(undefined));
      pick.show();
      opened?.(pick);
    });
    if (chosen !== undefined) await openItem(chosen, false);
  } finally {
    closed();
    pick.dispose();
  }
}

async function open(connection: Connection, thread: Thread, item: FoundItem, inBackground: boolean): Promise<void> {
  const { path, match } = item;
  if (path === undefined) return;
  const uri = uriOf(connection, thread, path);
  const options: vscode.TextDocumentShowOptions = { preserveFocus: inBackground, preview: !inBackground };
  if (match !== undefined) {
    const at = new vscode.Position(match.line - 1, characterOf(match.text, match.column));
    options.selection = new vscode.Range(at, at);
  }
  await vscode.commands.executeCommand('vscode.open', uri, options);
}

function foundItem(match: SearchMatch): FoundItem {
  const text = match.text.trim();
  return {
    // Zero-width, so that `$(name)` in code is not taken for an icon.
    label: text.slice(0, maxPreviewLength).replaceAll('$(', '$\u200b('),
    description: `${match.path}:${match.line}`,
    alwaysShow: true,
    path: match.path,
    match,
    buttons: [openAside],
  };
}

function fileItem(connection: Connection, thread: Thread, path: string): FoundItem {
  const slash = path.lastIndexOf('/');
  return {
    label: path.slice(slash + 1),
    description: path.slice(0, Math.max(0, slash)),
    alwaysShow: true,
    path,
    buttons: [openAside],
    iconPath: vscode.ThemeIcon.File,
    ...({ resourceUri: uriOf(connection, thread, path) } as object),
  };
}

const openAside: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('split-horizontal'),
  tooltip: vscode.l10n.t('Open and stay here'),
};

function uriOf({ session }: Connection, { folder }: Thread, path: string): vscode.Uri {
  return threadUri(accountOf(session), `${folder}/${path}`);
}

function hint(label: string): FoundItem {
  return { label, iconPath: new vscode.ThemeIcon('info'), alwaysShow: true };
}
