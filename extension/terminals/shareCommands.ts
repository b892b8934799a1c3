import * as vscode from 'vscode';
import type { Share } from '../../protocol/shares.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { timeText } from '../dotfiles/timeText.ts';
import { asPlainText } from '../failure.ts';
import { setting } from '../settings.ts';
import { inClockTime } from '../threads/clockTime.ts';
import type { ThreadTerminals } from './threadTerminals.ts';

const minuteMs = 60_000;

interface ShareItem extends vscode.QuickPickItem {
  readonly share: Share;
}

/** Terminals that are shared: given to somebody for a while, seen by somebody, ended. */
export class ShareCommands {
  readonly #current: CurrentConnection;
  readonly #terminals: ThreadTerminals;

  constructor(current: CurrentConnection, terminals: ThreadTerminals) {
    this.#current = current;
    this.#terminals = terminals;
  }

  /** @param node a session of the Threads view; absent: the terminal in front, or the one that is picked */
  async share(node: { readonly kind: string; readonly id?: string } | undefined): Promise<void> {
    const connection = this.#reachable();
    const active = vscode.window.activeTerminal;
    const inFront = active === undefined ? undefined : this.#terminals.idOf(active);
    const id = node?.kind === 'session' ? node.id : (inFront ?? (await pickTerminal(connection)));
    if (id === undefined) return;
    const title = vscode.l10n.t('Share Terminal');
    const guest = await vscode.window.showInputBox({
      title,
      prompt: vscode.l10n.t('Username of somebody with an account here'),
      ignoreFocusOut: true,
      validateInput: (typed) => (typed.trim() === '' ? vscode.l10n.t('Give a username.') : undefined),
    });
    if (guest === undefined) return;
    const rights = [
      { label: vscode.l10n.t('May look'), description: vscode.l10n.t('keys do nothing'), write: false },
      {
        label: vscode.l10n.t('May type'),
        description: vscode.l10n.t('as you: whatever you can do, they can'),
        write: true,
      },
    ];
    const right = await vscode.window.showQuickPick(rights, { title });
    if (right === undefined) return;
    const times = [
      { label: vscode.l10n.t('For 15 minutes'), lifeMs: 15 * minuteMs },
      { label: vscode.l10n.t('For an hour'), lifeMs: 60 * minuteMs },
      { label: vscode.l10n.t('For four hours'), lifeMs: 240 * minuteMs },
    ];
    const time = await vscode.window.showQuickPick(times, { title });
    if (time === undefined) return;
    const body = { with: guest.trim(), write: right.write, lifeMs: time.lifeMs };
    const made = await connection.api.call('shareTerminal', { params: { id }, body });
    const stop = vscode.l10n.t('Stop Sharing');
    const text = vscode.l10n.t(
      '{0} can open it with "Spoon: Open Shared Terminal…" until {1}.',
      made.guest,
      inClockTime(new Date(made.expiresMs), new Date()),
    );
    if ((await vscode.window.showInformationMessage(text, stop)) === stop) await this.#end(made);
  }

  async open(): Promise<void> {
    const connection = this.#reachable();
    const { received } = await connection.api.call('listShares');
    const placeHolder = vscode.l10n.t('Terminals that others share with you');
    const share = await pickShare(received, ({ owner }) => owner, {
      title: vscode.l10n.t('Open Shared Terminal'),
      placeHolder,
    });
    if (share === undefined) return;
    const name = share.write
      ? vscode.l10n.t('{0} (shared)', share.owner)
      : vscode.l10n.t('{0} (shared, to look)', share.owner);
    this.#terminals.open({ name, target: { kind: 'shared', id: share.id }, location: setting('terminal.location') });
  }

  /** Who sees what of mine; the one that is chosen is ended. */
  async stop(): Promise<void> {
    const { given } = await this.#reachable().api.call('listShares');
    const placeHolder = vscode.l10n.t('The one that you choose ends now');
    const share = await pickShare(given, ({ guest }) => guest, {
      title: vscode.l10n.t('Stop Sharing a Terminal'),
      placeHolder,
    });
    if (share !== undefined) await this.#end(share);
  }

  async #end({ id, guest }: Share): Promise<void> {
    await this.#reachable().api.call('endShare', { params: { id } });
    vscode.window.setStatusBarMessage(vscode.l10n.t('No longer shared with {0}', guest), 3000);
  }

  #reachable(): Connection {
    const connection = this.#current.require();
    connection.requireReachable();
    return connection;
  }
}

async function pickTerminal({ api }: Connection): Promise<string | undefined> {
  const { terminals } = await api.call('listTerminals');
  const items = terminals.map(({ id, title, lastLine }) => ({
    id,
    label: asPlainText(title) || vscode.l10n.t('Terminal'),
    description: asPlainText(lastLine),
  }));
  const placeHolder = items.length === 0 ? vscode.l10n.t('No terminal runs in your box') : '';
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Share Terminal'), placeHolder }))?.id;
}

async function pickShare(
  shares: readonly Share[],
  whoOf: (share: Share) => string,
  { title, placeHolder }: { title: string; placeHolder: string },
): Promise<Share | undefined> {
  const items: ShareItem[] = shares.map((share) => ({
    share,
    label: whoOf(share),
    description: [
      share.write ? vscode.l10n.t('may type') : vscode.l10n.t('may look'),
      share.watching > 0 ? vscode.l10n.t('watching now') : '',
      vscode.l10n.t('ends {0}', timeText(share.expiresMs, Date.now())),
    ]
      .filter(Boolean)
      .join(', '),
  }));
  const empty = vscode.l10n.t('No terminal is shared');
  const shown = { title, placeHolder: items.length === 0 ? empty : placeHolder };
  return (await vscode.window.showQuickPick(items, shown))?.share;
}
