import * as vscode from 'vscode';
import type { Secret } from '../../protocol/secrets.ts';
import type { Terminal } from '../../protocol/terminals.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { setContext } from '../contextKeys.ts';
import { timeText } from '../dotfiles/timeText.ts';
import { asPlainText } from '../failure.ts';
import { ConnectionTree } from '../tree/connectionTree.ts';
import { keyOf } from './homeSecrets.ts';
import { olderShells, placeInWords, shellsInWords } from './secretWords.ts';

export type SecretNode =
  | { readonly kind: 'secret'; readonly name: string; readonly spoon: string | null }
  /** An open shell that is older than the secret above it. */
  | { readonly kind: 'shell'; readonly secret: string; readonly id: string };

export const secretsViewId = 'spoon.secrets';
/** Older shells end without a word; asked only while somebody looks at some. */
const lookEveryMs = 5_000;
/** The ages in the rows are told anew so often. */
const ageMs = 60_000;

/** The secrets by name, each with the open shells that do not have its present value. */
export class SecretsTree extends ConnectionTree<SecretNode> {
  constructor(current: CurrentConnection) {
    super(current, secretsViewId);
    this.every(lookEveryMs, () => this.#askForShells());
    this.every(ageMs, () => this.show());
  }

  getParent(node: SecretNode): SecretNode | undefined {
    const secret = node.kind === 'shell' ? this.#secrets.find((one) => keyOf(one) === node.secret) : undefined;
    return secret === undefined ? undefined : this.#secretNode(secret);
  }

  getChildren(node?: SecretNode): SecretNode[] {
    if (node === undefined) return this.#secrets.map((secret) => this.#secretNode(secret));
    const secret = node.kind === 'secret' ? this.#secretOf(node) : undefined;
    if (secret === undefined) return [];
    return this.#olderShells(secret).map(({ id }) => this.node({ kind: 'shell', secret: keyOf(secret), id }));
  }

  getTreeItem(node: SecretNode): vscode.TreeItem {
    if (node.kind === 'secret') {
      const secret = this.#secretOf(node);
      return secret === undefined ? new vscode.TreeItem('') : secretItem(secret, this.#olderShells(secret).length);
    }
    const shell = this.current.connection?.threads.terminals.find(({ id }) => id === node.id);
    return shell === undefined ? new vscode.TreeItem('') : shellItem(shell, node);
  }

  async reveal({ name, spoon }: Secret): Promise<void> {
    await this.view.reveal(this.node({ kind: 'secret', name, spoon }), { select: true, focus: true });
  }

  get #secrets(): readonly Secret[] {
    return this.current.connection?.secrets.list ?? [];
  }

  #secretOf({ name, spoon }: { name: string; spoon: string | null }): Secret | undefined {
    return this.current.connection?.secrets.find(name, spoon);
  }

  #olderShells(secret: Secret): Terminal[] {
    return olderShells(secret, this.current.connection?.threads.terminals ?? []);
  }

  #secretNode({ name, spoon }: Secret): SecretNode {
    return this.node({ kind: 'secret', name, spoon });
  }

  protected follow({ secrets, threads }: Connection): vscode.Disposable[] {
    return [
      secrets.onDidChange(() => {
        this.show();
        // Which shells are older is for those to say that are open now.
        if (this.view.visible) threads.refreshSoon();
      }),
      threads.onDidChange(() => this.show()),
    ];
  }

  protected look(): void {
    this.current.connection?.secrets.refreshSoon();
    this.current.connection?.threads.refreshSoon();
  }

  #askForShells(): void {
    if (!this.isLookedAt) return;
    if (this.#secrets.some((secret) => this.#olderShells(secret).length > 0)) {
      this.current.connection?.threads.refreshSoon();
    }
  }

  protected override show(): void {
    setContext('spoon.secrets', this.current.connection?.secrets.access ?? 'unknown');
    this.refresh();
  }
}

function secretItem(secret: Secret, older: number): vscode.TreeItem {
  const { name, file, updatedMs, spoon } = secret;
  const state = older > 0 ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None;
  const item = new vscode.TreeItem(name, state);
  const isNew = Date.now() - updatedMs < ageMs;
  const age = isNew ? vscode.l10n.t('just now') : timeText(updatedMs, Date.now());
  const facts = [placeInWords(secret), ...(older > 0 ? [shellsInWords(older)] : []), age];
  // Another id with the first older shell: VS Code takes the twistie of a row that it knows from before.
  item.id = `secret ${name} ${spoon ?? ''} ${older > 0}`;
  item.description = facts.join(', ');
  item.iconPath = new vscode.ThemeIcon(file ? 'file-code' : 'key');
  item.contextValue = 'secret';
  item.tooltip = [
    name,
    vscode.l10n.t('In {0}', placeInWords(secret)),
    ...(file ? [vscode.l10n.t('The variable holds the path of a file with the value')] : []),
    vscode.l10n.t('Set {0}', new Date(updatedMs).toLocaleString()),
    ...(older > 0 ? [vscode.l10n.t('{0} and keep what they have', shellsInWords(older))] : []),
    vscode.l10n.t('Nothing gives its value back'),
  ].join('\n');
  item.accessibilityInformation = { label: [vscode.l10n.t('Secret {0}', name), ...facts].join(', ') };
  return item;
}

function shellItem({ id, title, thread, lastLine }: Terminal, node: SecretNode): vscode.TreeItem {
  const name = asPlainText(title) || vscode.l10n.t('Shell');
  const where = thread === undefined ? vscode.l10n.t('home') : asPlainText(thread);
  const item = new vscode.TreeItem(name);
  item.id = JSON.stringify(node);
  item.description = vscode.l10n.t('{0}, started before this value', where);
  item.iconPath = new vscode.ThemeIcon('terminal');
  item.contextValue = 'shell';
  item.tooltip = asPlainText(lastLine) || name;
  item.command = {
    command: 'spoon.session.attach',
    title: vscode.l10n.t('Attach'),
    arguments: [{ kind: 'session', id }],
  };
  item.accessibilityInformation = { label: vscode.l10n.t('Shell {0} in {1}, started before this value', name, where) };
  return item;
}
