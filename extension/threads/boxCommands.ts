import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import type { Terminal } from '../../protocol/terminals.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText } from '../failure.ts';
import { inClockTime, keptUntil } from './clockTime.ts';
import { holderInWords, inBytes, inTime } from './threadWords.ts';

/** A start may have to fetch an image and write a home full of dotfiles. */
const startTimeoutMs = 300_000;
const hourMs = 60 * 60 * 1000;

/** Start, Stop, Restart, *Keep Until…*, *Why Is My Box Up*, and what takes the room in the home. */
export class BoxCommands {
  readonly #current: CurrentConnection;

  constructor(current: CurrentConnection) {
    this.#current = current;
  }

  async start(): Promise<void> {
    await ensureBox(this.#reachable());
  }

  async stop(): Promise<void> {
    const connection = this.#reachable();
    const stop = vscode.l10n.t('Stop Box');
    if (!(await confirmEnd(connection, vscode.l10n.t('Stop your box?'), stop))) return;
    await progress(vscode.l10n.t('Stopping your box…'), () => connection.api.call('stopBox'));
  }

  async restart(): Promise<void> {
    const connection = this.#reachable();
    const restart = vscode.l10n.t('Restart Box');
    if (!(await confirmEnd(connection, vscode.l10n.t('Restart your box?'), restart))) return;
    const again = () => connection.api.call('restartBox', { timeoutMs: startTimeoutMs });
    await progress(vscode.l10n.t('Restarting your box…'), again);
  }

  /** *Keep Until…*: whatever runs in it or does not. */
  async keep(): Promise<void> {
    const connection = this.#reachable();
    const box = await connection.api.call('box');
    const now = new Date();
    const morning = new Date(now);
    morning.setHours(9, 0, 0, 0);
    if (morning <= now) morning.setDate(morning.getDate() + 1);
    const inHours = (hours: number): Date => new Date(now.getTime() + hours * hourMs);
    const items: (vscode.QuickPickItem & { until?: Date })[] = [
      { label: vscode.l10n.t('For an hour'), until: inHours(1) },
      { label: vscode.l10n.t('For four hours'), until: inHours(4) },
      { label: vscode.l10n.t('Until the morning'), until: morning },
      { label: vscode.l10n.t('For a day'), until: inHours(24) },
      { label: vscode.l10n.t('For six days'), until: inHours(6 * 24) },
    ].map((item) => ({ ...item, description: inClockTime(item.until, now), iconPath: new vscode.ThemeIcon('pinned') }));
    if (box.holders.some(({ kind }) => kind === 'pin')) {
      items.push({ label: vscode.l10n.t('No longer'), iconPath: new vscode.ThemeIcon('pin') });
    }
    const placeHolder =
      box.pinnedUntilMs === undefined
        ? vscode.l10n.t('Whether or not anything runs in it')
        : vscode.l10n.t('Now kept until {0}', keptUntil(box) ?? '');
    const choice = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Keep Box Until'), placeHolder });
    if (choice === undefined) return;
    if (choice.until === undefined) await connection.api.call('unpinBox');
    else {
      await ensureBox(connection);
      await connection.api.call('pinBox', { body: { untilMs: choice.until.getTime() } });
    }
    await connection.threads.refresh();
  }

  /** *Show Largest Folders*: what takes the room in the home; the path of one that is chosen is copied. */
  async usage(): Promise<void> {
    const connection = this.#reachable();
    const usage = await progress(vscode.l10n.t('Counting what is in your home…'), () =>
      connection.api.call('homeUsage', { timeoutMs: startTimeoutMs }),
    );
    const free = inBytes(usage.disk.freeBytes);
    const items = usage.folders.map(({ path, bytes, files }) => ({
      label: inBytes(bytes),
      description: `~/${asPlainText(path)}`,
      detail: files === 1 ? vscode.l10n.t('1 file') : vscode.l10n.t('{0} files', files),
      iconPath: new vscode.ThemeIcon('folder'),
      path,
    }));
    const title = vscode.l10n.t('Your home holds {0}; {1} are free', inBytes(usage.usedBytes), free);
    const placeHolder = usage.truncated ? vscode.l10n.t('Not everything was counted: at least this') : '';
    const choice = await vscode.window.showQuickPick(items, { title, placeHolder, matchOnDescription: true });
    if (choice === undefined) return;
    await vscode.env.clipboard.writeText(`~/${choice.path}`);
    vscode.window.setStatusBarMessage(vscode.l10n.t('Copied ~/{0}', choice.path), 3000);
  }

  async why(): Promise<void> {
    const connection = this.#reachable();
    const box = await connection.api.call('box');
    const items: (vscode.QuickPickItem & { command?: string })[] = box.holders.map((holder) => {
      const { what, why } = holderInWords(holder, keptUntil(box));
      return { label: `$(link) ${asPlainText(what)}`, description: why };
    });
    if (box.state !== 'running') {
      items.push({ label: vscode.l10n.t('Your box is not running. Your home is as it was.') });
    } else if (items.length === 0) {
      const when = box.stopsAtMs === null ? '' : vscode.l10n.t(' It stops {0}.', inTime(box.stopsAtMs - Date.now()));
      items.push({ label: `${vscode.l10n.t('Nothing holds it.')}${when}` });
    }
    items.push({ label: '', kind: vscode.QuickPickItemKind.Separator });
    if (box.state === 'running') {
      items.push({
        label: vscode.l10n.t('Keep Until…'),
        iconPath: new vscode.ThemeIcon('pinned'),
        command: 'spoon.box.keep',
      });
      items.push({
        label: vscode.l10n.t('Stop Box…'),
        iconPath: new vscode.ThemeIcon('debug-stop'),
        command: 'spoon.box.stop',
      });
      items.push({
        label: vscode.l10n.t('Restart Box…'),
        iconPath: new vscode.ThemeIcon('debug-restart'),
        command: 'spoon.box.restart',
      });
    } else {
      items.push({
        label: vscode.l10n.t('Start Box'),
        iconPath: new vscode.ThemeIcon('play'),
        command: 'spoon.box.start',
      });
    }
    const choice = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Why Is My Box Up'),
      placeHolder: vscode.l10n.t('What holds it now'),
    });
    if (choice?.command !== undefined) await vscode.commands.executeCommand(choice.command);
  }

  #reachable(): Connection {
    const connection = this.#current.require();
    connection.requireReachable();
    return connection;
  }
}

/** Starts the box where it is off; shows that it does, and can be cancelled. */
export async function ensureBox(connection: Connection): Promise<void> {
  if (connection.box?.state === 'running') return;
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Starting your box…'), cancellable: true },
    async (_, cancelled) => {
      const abort = new AbortController();
      cancelled.onCancellationRequested(() => abort.abort(new vscode.CancellationError()));
      await connection.api.call('startBox', { timeoutMs: startTimeoutMs, signal: abort.signal });
    },
  );
}

async function confirmEnd(connection: Connection, question: string, button: string): Promise<boolean> {
  const terminals = await runningTerminals(connection);
  if (terminals === undefined) {
    const detail = vscode.l10n.t(
      'It does not answer, so what runs in it cannot be listed. All of it ends. Your home and everything in it stay as they are.',
    );
    return (await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) === button;
  }
  const busy = terminals.filter((terminal) => terminal.busy);
  if (terminals.length === 0) return true;
  const ending = busy.length > 0 ? busy : terminals;
  const names = ending.map(({ title, lastLine }) => `• ${asPlainText([title, lastLine].filter(Boolean).join(': '))}`);
  const detail = vscode.l10n.t(
    'These end with it:\n{0}\n\nYour home and everything in it stay as they are.',
    names.slice(0, 12).join('\n'),
  );
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) === button;
}

/** Undefined where the box does not say. @throws SpoonError for every other reason */
async function runningTerminals({ api, box }: Connection): Promise<Terminal[] | undefined> {
  if (box?.silentMs !== undefined) return undefined;
  try {
    return (await api.call('listTerminals')).terminals;
  } catch (error) {
    if (error instanceof SpoonError && error.code === 'box-unavailable') return undefined;
    throw error;
  }
}

async function progress<T>(title: string, work: () => Promise<T>): Promise<T> {
  return await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, work);
}
