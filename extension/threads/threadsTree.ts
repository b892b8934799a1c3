import * as vscode from 'vscode';
import type { Box, Holder } from '../../protocol/boxes.ts';
import type { Terminal } from '../../protocol/terminals.ts';
import type { Thread } from '../../protocol/threads.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText } from '../failure.ts';
import { ConnectionTree } from '../tree/connectionTree.ts';
import { keptUntil } from './clockTime.ts';
import { threadName } from './homeThreads.ts';
import { boxInBrief, holderInWords, statusInBrief, statusInWords, viewersInWords } from './threadWords.ts';

export type ThreadNode =
  | { readonly kind: 'box' }
  | { readonly kind: 'holder'; readonly id: string }
  | { readonly kind: 'spoon'; readonly name: string }
  | { readonly kind: 'thread'; readonly id: string }
  /** Terminals that belong to no thread. */
  | { readonly kind: 'home' }
  | { readonly kind: 'session'; readonly id: string };

export const threadsViewId = 'spoon.threads';
/** Titles, last lines and git's view of things change without a word; asked only while somebody looks. */
const lookEveryMs = 5_000;

/** The box, the threads and what runs in them. Holds no data of its own: that is `HomeThreads` and the connection. */
export class ThreadsTree extends ConnectionTree<ThreadNode> {
  constructor(current: CurrentConnection) {
    super(current, threadsViewId, { showCollapseAll: true });
    this.disposables.push(current.onDidChangeState(() => this.show()));
    this.every(lookEveryMs, () => {
      if (this.isLookedAt) this.look();
    });
  }

  getParent(node: ThreadNode): ThreadNode | undefined {
    const threads = this.current.connection?.threads;
    if (node.kind === 'holder') return this.node({ kind: 'box' });
    if (node.kind === 'thread') {
      const thread = threads?.threads.find(({ id }) => id === node.id);
      return thread === undefined ? undefined : this.node({ kind: 'spoon', name: thread.spoon });
    }
    if (node.kind !== 'session') return undefined;
    const thread = threads?.threads.find((one) => threads.terminalsOf(one).some(({ id }) => id === node.id));
    return this.node(thread === undefined ? { kind: 'home' } : { kind: 'thread', id: thread.id });
  }

  getChildren(node?: ThreadNode): ThreadNode[] {
    const connection = this.current.connection;
    if (connection === undefined || !connection.threads.isListed) return [];
    const { threads } = connection;
    switch (node?.kind) {
      case undefined:
        return this.#roots(connection);
      case 'box':
        return (connection.box?.holders ?? []).map(({ kind, id }) =>
          this.node({ kind: 'holder', id: `${kind} ${id}` }),
        );
      case 'spoon':
        return threads.threads
          .filter(({ spoon }) => spoon === node.name)
          .sort((one, other) => one.branch.localeCompare(other.branch))
          .map(({ id }) => this.node({ kind: 'thread', id }));
      case 'thread': {
        const thread = threads.threads.find(({ id }) => id === node.id);
        return thread === undefined ? [] : this.#sessions(threads.terminalsOf(thread));
      }
      case 'home':
        return this.#sessions(threads.otherTerminals());
      default:
        return [];
    }
  }

  getTreeItem(node: ThreadNode): vscode.TreeItem {
    const connection = this.current.connection;
    const item = connection === undefined ? undefined : this.#item(node, connection);
    return item ?? new vscode.TreeItem('');
  }

  #roots({ threads, box }: Connection): ThreadNode[] {
    const spoons = new Set([...threads.spoons.map(({ name }) => name), ...threads.threads.map(({ spoon }) => spoon)]);
    const home = threads.otherTerminals().length > 0 ? [this.node({ kind: 'home' })] : [];
    // With nothing to show, the view says what to do instead.
    if (spoons.size === 0 && home.length === 0) return [];
    const names = [...spoons].sort((one, other) => one.localeCompare(other));
    return [
      ...(box === undefined ? [] : [this.node({ kind: 'box' })]),
      ...names.map((name) => this.node({ kind: 'spoon', name })),
      ...home,
    ];
  }

  #sessions(terminals: readonly Terminal[]): ThreadNode[] {
    return [...terminals]
      .sort((one, other) => one.createdMs - other.createdMs)
      .map(({ id }) => this.node({ kind: 'session', id }));
  }

  #item(node: ThreadNode, connection: Connection): vscode.TreeItem | undefined {
    const { threads } = connection;
    switch (node.kind) {
      case 'box':
        return connection.box === undefined ? undefined : boxItem(connection.box);
      case 'holder': {
        const holder = connection.box?.holders.find(({ kind, id }) => `${kind} ${id}` === node.id);
        return holder === undefined ? undefined : holderItem(holder, connection.box);
      }
      case 'spoon': {
        const item = new vscode.TreeItem(node.name, vscode.TreeItemCollapsibleState.Expanded);
        const spoon = threads.spoons.find(({ name }) => name === node.name);
        item.id = `spoon ${node.name}`;
        item.iconPath = new vscode.ThemeIcon('repo');
        item.contextValue = 'spoon';
        item.tooltip = spoon?.url ?? node.name;
        item.accessibilityInformation = {
          label: vscode.l10n.t('Spoon {0}, {1} threads', node.name, spoon?.threads ?? 0),
        };
        return item;
      }
      case 'thread': {
        const thread = threads.threads.find(({ id }) => id === node.id);
        return thread === undefined ? undefined : threadItem(thread, threads.terminalsOf(thread).length);
      }
      case 'home': {
        const item = new vscode.TreeItem(vscode.l10n.t('Home'), vscode.TreeItemCollapsibleState.Expanded);
        item.id = 'home';
        item.iconPath = new vscode.ThemeIcon('home');
        item.contextValue = 'home';
        item.accessibilityInformation = { label: vscode.l10n.t('Terminals in the home') };
        return item;
      }
      case 'session': {
        const terminal = threads.terminals.find(({ id }) => id === node.id);
        return terminal === undefined ? undefined : sessionItem(terminal, node);
      }
    }
  }

  protected follow(connection: Connection): vscode.Disposable[] {
    return [connection.threads.onDidChange(() => this.show()), connection.onDidChangeBox(() => this.show())];
  }

  protected look(): void {
    this.current.connection?.threads.refreshSoon();
  }

  protected override show(): void {
    const { connection } = this.current;
    // With rows, the first of them says it.
    const isEmpty = connection?.state.name === 'connected' && this.#roots(connection).length === 0;
    this.view.description = isEmpty ? boxInBrief(connection.box, Date.now()) : '';
    this.refresh();
  }
}

function boxItem(box: Box): vscode.TreeItem {
  const hasHolders = box.holders.length > 0;
  const state = hasHolders ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None;
  const item = new vscode.TreeItem(vscode.l10n.t('Box'), state);
  const brief = boxInBrief(box, Date.now()).replace(/^box (is )?/, '');
  item.id = 'box';
  item.description = brief;
  item.iconPath = new vscode.ThemeIcon(box.silentMs === undefined ? boxIcons[box.state] : 'warning');
  item.contextValue = `box+${box.state}`;
  item.tooltip = [`${brief}`, ...(box.detail === undefined ? [] : [asPlainText(box.detail)])].join('\n');
  item.accessibilityInformation = { label: vscode.l10n.t('Box, {0}', brief) };
  return item;
}

const boxIcons = {
  stopped: 'vm-outline',
  starting: 'loading~spin',
  running: 'vm-running',
  stopping: 'loading~spin',
  failed: 'warning',
} as const;

function holderItem(holder: Holder, box: Box | undefined): vscode.TreeItem {
  const { what, why } = holderInWords(holder, keptUntil(box));
  const item = new vscode.TreeItem(asPlainText(what));
  item.id = `holder ${holder.kind} ${holder.id}`;
  item.description = why;
  item.iconPath = new vscode.ThemeIcon(holder.kind === 'pin' ? 'pinned' : 'link');
  item.accessibilityInformation = { label: `${asPlainText(what)}, ${why}` };
  return item;
}

function threadItem(thread: Thread, sessions: number): vscode.TreeItem {
  const state = sessions > 0 ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.None;
  const item = new vscode.TreeItem(thread.branch, state);
  const brief = statusInBrief(thread.status, thread.branch);
  const isDirty = thread.status !== null && (thread.status.dirty > 0 || thread.status.unpushed > 0);
  const isBroken = thread.status?.state === 'missing' || thread.status?.state === 'broken';
  // Another id with the first terminal: VS Code opens a row by itself only when it is new.
  item.id = `thread ${thread.id} ${sessions > 0}`;
  item.description = asPlainText(brief);
  item.iconPath = new vscode.ThemeIcon(isBroken ? 'warning' : 'git-branch');
  item.contextValue = `thread${isDirty ? '+dirty' : ''}`;
  const tooltip = new vscode.MarkdownString();
  tooltip.appendText(`~/${thread.folder}`);
  for (const line of statusInWords(thread.status)) tooltip.appendText('\n').appendText(asPlainText(line));
  item.tooltip = tooltip;
  const spoken = [threadName(thread), ...statusInWords(thread.status), vscode.l10n.t('{0} terminals', sessions)];
  item.accessibilityInformation = { label: asPlainText(spoken.join(', ')) };
  return item;
}

function sessionItem(terminal: Terminal, node: ThreadNode): vscode.TreeItem {
  const item = new vscode.TreeItem(asPlainText(terminal.title) || vscode.l10n.t('Terminal'));
  const viewers = viewersInWords(terminal);
  const lastLine = asPlainText(terminal.lastLine);
  item.id = `session ${terminal.id}`;
  item.description = [viewers, lastLine].filter(Boolean).join(' · ');
  item.iconPath = new vscode.ThemeIcon(terminal.busy ? 'terminal' : 'terminal-bash');
  item.contextValue = 'session';
  const tooltip = new vscode.MarkdownString();
  const started = new Date(terminal.createdMs).toLocaleString();
  for (const line of [terminal.title, terminal.cwd, lastLine, viewers, vscode.l10n.t('Since {0}', started)]) {
    if (line !== '') tooltip.appendText(asPlainText(line)).appendText('\n');
  }
  item.tooltip = tooltip;
  item.command = { command: 'spoon.session.attach', title: vscode.l10n.t('Attach'), arguments: [node] };
  item.accessibilityInformation = {
    label: [item.label, terminal.busy ? vscode.l10n.t('busy') : vscode.l10n.t('waits'), viewers, lastLine].join(', '),
  };
  return item;
}
