import * as vscode from 'vscode';
import type { AdminUser } from '../../protocol/admin.ts';
import type { Invite } from '../../protocol/signIn.ts';
import type { AwaitedCodes } from '../auth/awaitedCodes.ts';
import { signInByBrowser } from '../auth/browserSignIn.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { timeText } from '../dotfiles/timeText.ts';
import { asPlainText } from '../failure.ts';
import type { AdminService } from './adminService.ts';
import type { ServiceTree } from './serviceTree.ts';

interface Parts {
  readonly current: CurrentConnection;
  readonly service: AdminService;
  readonly tree: ServiceTree;
  readonly codes: AwaitedCodes;
}

const stopMs = 60_000;

/** The commands of the Service view; without a row they ask who is meant. Each says what it ends before it does. */
export class AdminCommands {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async signIn(): Promise<void> {
    const { current, codes, service } = this.#parts;
    const connection = current.require();
    connection.requireReachable();
    const title = vscode.l10n.t('Signing in as administrator: go on in your browser');
    const { token } = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (_, cancelled) => {
        const abort = new AbortController();
        cancelled.onCancellationRequested(() => abort.abort(new vscode.CancellationError()));
        return signInByBrowser(
          connection.asOther(() => undefined),
          codes,
          abort.signal,
          'admin',
        );
      },
    );
    await service.signedIn(token);
  }

  signOut(): Promise<void> {
    return this.#parts.service.signOut();
  }

  refresh(): Promise<void> {
    return this.#parts.service.refresh();
  }

  async stopBox(node: unknown): Promise<void> {
    const { service } = this.#parts;
    const running = (username: string): boolean =>
      service.facts?.boxes.some((box) => box.username === username && box.state !== 'stopped') ?? false;
    const username = await this.#who(node, vscode.l10n.t('Stop the Box of'), (user) => running(user.username));
    if (username === undefined) return;
    const holders = service.facts?.boxes.find((box) => box.username === username)?.holders ?? [];
    const count = holders.reduce((sum, holder) => sum + holder.count, 0);
    const detail =
      count === 0
        ? vscode.l10n.t('Nothing holds it. The home stays as it is, and {0} may start it again.', username)
        : vscode.l10n.t(
            'It is in use: {0} things in it end with it. The home stays as it is, and {1} may start it again.',
            count,
            username,
          );
    const button = vscode.l10n.t('Stop Box');
    if (!(await confirm(vscode.l10n.t('Stop the box of {0}?', username), detail, button))) return;
    await service.api.call('adminStopBox', { params: { username }, timeoutMs: stopMs });
    await service.refresh();
  }

  async disableUser(node: unknown): Promise<void> {
    const { service } = this.#parts;
    const username = await this.#who(node, vscode.l10n.t('Disable'), ({ disabled }) => !disabled);
    if (username === undefined) return;
    const detail = vscode.l10n.t(
      'All sign-ins, terminals and the box of {0} end now, and the password is gone. Dotfiles and home stay.',
      username,
    );
    if (!(await confirm(vscode.l10n.t('Disable {0}?', username), detail, vscode.l10n.t('Disable User')))) return;
    await service.api.call('adminDisableUser', { params: { username }, timeoutMs: stopMs });
    await service.refresh();
  }

  async enableUser(node: unknown): Promise<void> {
    const { service } = this.#parts;
    const username = await this.#who(node, vscode.l10n.t('Enable'), ({ disabled }) => disabled);
    if (username === undefined) return;
    const detail = vscode.l10n.t('Tokens and password from before stay void: {0} needs a new invite.', username);
    if (!(await confirm(vscode.l10n.t('Enable {0}?', username), detail, vscode.l10n.t('Enable User')))) return;
    await service.api.call('adminEnableUser', { params: { username } });
    await service.refresh();
    const invite = vscode.l10n.t('Invite User…');
    const text = vscode.l10n.t('{0} is enabled, and needs an invite to sign in.', username);
    if ((await vscode.window.showInformationMessage(text, invite)) === invite) await this.#invite(username);
  }

  /** Of a user who is there, a new link; without one, of somebody new. */
  async inviteUser(node: unknown): Promise<void> {
    const row = this.#parts.tree.rowOf(node);
    if (row?.username !== undefined && node !== undefined) {
      const detail = vscode.l10n.t(
        'A link that was made before ends. With the new one {0} chooses a password.',
        row.username,
      );
      const question = vscode.l10n.t('Make an invite for {0}?', row.username);
      if (await confirm(question, detail, vscode.l10n.t('Make Invite'))) await this.#invite(row.username);
      return;
    }
    const displayName = await vscode.window.showInputBox({
      title: vscode.l10n.t('Invite User'),
      prompt: vscode.l10n.t('The name of the person. The username is made from it and stays for life.'),
      placeHolder: vscode.l10n.t('Ada Lovelace'),
      ignoreFocusOut: true,
      validateInput: (typed) => (typed.trim() === '' ? vscode.l10n.t('Give a name.') : undefined),
    });
    if (displayName === undefined) return;
    const { service } = this.#parts;
    const { username } = await service.api.call('adminCreateUser', { body: { displayName } });
    await service.refresh();
    await this.#invite(username);
  }

  async revokeTokens(node: unknown): Promise<void> {
    const { service } = this.#parts;
    const username = await this.#who(node, vscode.l10n.t('Revoke Tokens of'), () => true);
    if (username === undefined) return;
    const { tokens } = await service.api.call('adminListUserTokens', { params: { username } });
    if (tokens.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('{0} has no token.', username));
      return;
    }
    const items = tokens.map(({ id, name, lastUsedMs, kind }) => ({
      id,
      label: asPlainText(name),
      description: [
        kind === 'admin' ? vscode.l10n.t('administrator') : '',
        lastUsedMs === null ? vscode.l10n.t('never used') : vscode.l10n.t('used {0}', timeText(lastUsedMs, Date.now())),
      ]
        .filter(Boolean)
        .join(', '),
    }));
    const title = vscode.l10n.t('Revoke Tokens of {0}', username);
    const placeHolder = vscode.l10n.t('What they have open ends within seconds');
    const chosen = await vscode.window.showQuickPick(items, { title, placeHolder, canPickMany: true });
    for (const { id } of chosen ?? []) await service.api.call('adminRevokeToken', { params: { id } });
    if (chosen !== undefined && chosen.length > 0) await service.refresh();
  }

  async #invite(username: string): Promise<void> {
    const invite = await this.#parts.service.api.call('adminInviteUser', { params: { username }, body: {} });
    await showInvite(invite);
  }

  /** Whom the row is about, or who is picked; undefined when nobody is. */
  async #who(node: unknown, title: string, fits: (user: AdminUser) => boolean): Promise<string | undefined> {
    const { service, tree } = this.#parts;
    if (service.facts === undefined) await service.refresh();
    const users = (service.facts?.users ?? []).filter(fits);
    const named = node === undefined ? undefined : tree.rowOf(node)?.username;
    if (named !== undefined) return users.some(({ username }) => username === named) ? named : undefined;
    const items = users.map(({ username, displayName }) => ({
      label: username,
      description: asPlainText(displayName),
    }));
    const placeHolder = items.length === 0 ? vscode.l10n.t('There is nobody for whom this can be done') : '';
    return (await vscode.window.showQuickPick(items, { title, placeHolder, matchOnDescription: true }))?.label;
  }
}

/** The link is a credential: it goes to the clipboard when asked for, and nowhere else. */
async function showInvite({ username, link, expiresMs }: Invite): Promise<void> {
  const copy = vscode.l10n.t('Copy Link');
  const detail = vscode.l10n.t(
    'It works once, until {0}. Give it to that person only.',
    new Date(expiresMs).toLocaleString(),
  );
  const text = vscode.l10n.t('The invite for {0} is ready.', username);
  const answer = await vscode.window.showInformationMessage(text, { modal: true, detail }, copy);
  if (answer !== copy) return;
  await vscode.env.clipboard.writeText(link);
  vscode.window.setStatusBarMessage(vscode.l10n.t('Copied the invite for {0}', username), 3000);
}

async function confirm(question: string, detail: string, button: string): Promise<boolean> {
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) === button;
}
