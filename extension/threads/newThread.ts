import * as vscode from 'vscode';
import { checkBranchName } from '../../protocol/branchName.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { checkRepositoryUrl } from '../../protocol/repositoryUrl.ts';
import { spoonNameOf } from '../../protocol/spoonName.ts';
import type { CreatedThread } from '../../protocol/threads.ts';
import type { Connection } from '../connection/connection.ts';
import { asPlainText, failureText } from '../failure.ts';
import { threadName } from './homeThreads.ts';
import { progressInWords } from './threadWords.ts';

/** A first download of a large repository; it can be cancelled any time. */
const createTimeoutMs = 60 * 60_000;
/** The box may have to start before it can ask. */
const branchesTimeoutMs = 180_000;

interface SpoonChoice extends vscode.QuickPickItem {
  readonly spoon?: string;
  readonly url?: string;
}

export interface NewThread {
  readonly spoon: string;
  readonly branch: string;
  readonly url?: string;
}

/** *New Thread…* in two steps: which spoon, which branch. Undefined when left. */
export async function askForThread(
  connection: Connection,
  preset: { spoon?: string } = {},
): Promise<NewThread | undefined> {
  const { threads } = connection;
  if (!threads.isListed) await threads.refresh();
  let chosen: SpoonChoice | undefined =
    preset.spoon === undefined ? undefined : { label: preset.spoon, spoon: preset.spoon };
  for (;;) {
    chosen ??= await askForSpoon(threads.spoons);
    if (chosen?.spoon === undefined) return undefined;
    const branch = await askForBranch(connection, chosen.spoon, preset.spoon === undefined);
    if (branch === 'back') {
      chosen = undefined;
      continue;
    }
    if (branch === undefined) return undefined;
    return { spoon: chosen.spoon, branch, ...(chosen.url === undefined ? {} : { url: chosen.url }) };
  }
}

/** Makes it, with what git says meanwhile; cancelling leaves nothing behind. */
export async function makeThread({ api, threads }: Connection, wanted: NewThread): Promise<CreatedThread> {
  const name = threadName(wanted);
  const created = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('New thread {0}', name),
      cancellable: true,
    },
    async (progress, cancelled) => {
      const abort = new AbortController();
      cancelled.onCancellationRequested(() => abort.abort(new vscode.CancellationError()));
      const following = threads.onDidProgress(({ spoon, branch, progress: how }) => {
        if (spoon === wanted.spoon && branch === wanted.branch) progress.report({ message: progressInWords(how) });
      });
      try {
        return await api.call('createThread', { body: wanted, signal: abort.signal, timeoutMs: createTimeoutMs });
      } finally {
        following.dispose();
      }
    },
  );
  threads.refreshSoon();
  const notes = created.notes.map(asPlainText).filter(Boolean);
  if (notes.length > 0) vscode.window.setStatusBarMessage(`${name}: ${notes.join(' ')}`, 8000);
  return created;
}

async function askForSpoon(spoons: Connection['threads']['spoons']): Promise<SpoonChoice | undefined> {
  return await ask<SpoonChoice>({
    title: vscode.l10n.t('New Thread (1/2): Spoon'),
    placeholder: vscode.l10n.t('Choose a spoon, or paste the https address of a repository'),
    items: (typed) => {
      const known = spoons.map(({ name, url }) => ({
        label: name,
        description: asPlainText(url),
        iconPath: new vscode.ThemeIcon('repo'),
        spoon: name,
      }));
      const text = typed.trim();
      if (!/[/:]/.test(text)) {
        return known.length > 0 ? known : [hint(vscode.l10n.t('Paste the https address of a repository'))];
      }
      try {
        const url = readAddress(text);
        const name = spoonNameOf(url);
        if (name === undefined) return [hint(vscode.l10n.t('The address does not name a repository'))];
        const label = vscode.l10n.t('Add {0}', name);
        return [{ label, description: url, iconPath: new vscode.ThemeIcon('add'), alwaysShow: true, spoon: name, url }];
      } catch (error) {
        return [hint(failureText(error))];
      }
    },
    takes: ({ spoon }) => spoon !== undefined,
  });
}

interface BranchChoice extends vscode.QuickPickItem {
  readonly branch?: string;
}

/** Branches that the repository has join the list when it has been asked; a name that is not among them becomes a new one. */
async function askForBranch(
  { api, threads }: Connection,
  spoon: string,
  canGoBack: boolean,
): Promise<string | 'back' | undefined> {
  const taken = new Set(threads.threads.filter((thread) => thread.spoon === spoon).map(({ branch }) => branch));
  const known = threads.spoons.find(({ name }) => name === spoon);
  let defaultBranch = known?.defaultBranch ?? undefined;
  let branches: readonly string[] = [];
  const typedItem = (text: string): BranchChoice => {
    if (taken.has(text)) return hint(vscode.l10n.t('{0} is a thread already', text));
    try {
      const branch = checkBranchName(text);
      const description = vscode.l10n.t('new branch in ~/Code/{0}/{1}', spoon, branch);
      return { label: branch, description, iconPath: new vscode.ThemeIcon('add'), alwaysShow: true, branch };
    } catch (error) {
      return hint(failureText(error));
    }
  };
  const choice = await ask<BranchChoice>({
    title: vscode.l10n.t('New Thread (2/2): Branch of {0}', spoon),
    placeholder: vscode.l10n.t('Choose a branch, or type one; a new one starts from the default branch'),
    canGoBack,
    items: (typed) => {
      const text = typed.trim();
      const free = [...new Set([...(defaultBranch === undefined ? [] : [defaultBranch]), ...branches])].filter(
        (branch) => !taken.has(branch),
      );
      const existing = free.map((branch) => ({
        label: branch,
        description: branch === defaultBranch ? vscode.l10n.t('default branch') : '',
        iconPath: new vscode.ThemeIcon('git-branch'),
        branch,
      }));
      if (text === '') return existing.length > 0 ? existing : [hint(vscode.l10n.t('Type the name of a branch'))];
      return free.includes(text) ? existing : [typedItem(text), ...existing];
    },
    takes: ({ branch }) => branch !== undefined,
    more: async (signal) => {
      if (known === undefined) return;
      const list = await api.call('listBranches', { params: { id: known.id }, signal, timeoutMs: branchesTimeoutMs });
      branches = list.branches;
      defaultBranch = list.defaultBranch ?? defaultBranch;
    },
  });
  return choice === 'back' ? 'back' : choice?.branch;
}

function hint(label: string): vscode.QuickPickItem {
  return { label, iconPath: new vscode.ThemeIcon('info'), alwaysShow: true };
}

/** `owner/repository` is one of GitHub, as everywhere. @throws SpoonError `url-…` */
function readAddress(text: string): string {
  const address = /^[\w.-]+\/[\w.-]+$/.test(text) ? `https://github.com/${text}` : text;
  try {
    return checkRepositoryUrl(address);
  } catch (error) {
    // Which hosts are near is for the service to say: its operator may have allowed one.
    if (error instanceof SpoonError && (error.code === 'url-host' || error.code === 'url-port')) return address;
    throw error;
  }
}

interface Question<T extends vscode.QuickPickItem> {
  readonly title: string;
  readonly placeholder: string;
  readonly items: (typed: string) => T[];
  /** What only says what is wrong cannot be chosen. */
  readonly takes: (item: T) => boolean;
  /** What takes a while to be known; the items are made again after it. */
  readonly more?: (signal: AbortSignal) => Promise<void>;
}

async function ask<T extends vscode.QuickPickItem>(question: Question<T>): Promise<T | undefined>;
async function ask<T extends vscode.QuickPickItem>(
  question: Question<T> & { canGoBack: boolean },
): Promise<T | 'back' | undefined>;
async function ask<T extends vscode.QuickPickItem>({
  title,
  placeholder,
  items,
  takes,
  more,
  canGoBack = false,
}: Question<T> & { canGoBack?: boolean }): Promise<T | 'back' | undefined> {
  const pick = vscode.window.createQuickPick<T>();
  pick.title = title;
  pick.placeholder = placeholder;
  pick.ignoreFocusOut = true;
  if (canGoBack) pick.buttons = [vscode.QuickInputButtons.Back];
  const show = (): void => {
    pick.items = items(pick.value);
  };
  show();
  pick.onDidChangeValue(show);
  const left = new AbortController();
  if (more !== undefined) {
    pick.busy = true;
    // Without it everything can still be typed, so a failure only ends the waiting.
    const stopWaiting = (): void => {
      pick.busy = false;
      if (!left.signal.aborted) show();
    };
    more(left.signal).then(stopWaiting, stopWaiting);
  }
  try {
    return await new Promise((resolve) => {
      pick.onDidAccept(() => {
        const [item] = pick.selectedItems;
        if (item !== undefined && takes(item)) resolve(item);
      });
      pick.onDidTriggerButton(() => resolve('back'));
      pick.onDidHide(() => resolve(undefined));
      pick.show();
    });
  } finally {
    left.abort();
    pick.dispose();
  }
}
