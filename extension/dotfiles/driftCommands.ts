import * as vscode from 'vscode';
import type { Applied, DotfileDrift } from '../../protocol/dotfiles.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { setContext } from '../contextKeys.ts';
import { asPlainText, failureText } from '../failure.ts';
import type { Log } from '../outputLog.ts';
import { runGuarded } from '../registerCommands.ts';
import { nameOf } from './dotfileIndex.ts';
import { accountOf, dotfileScheme, dotfileUri, homeUri, pathOf, versionUri } from './dotfileUri.ts';

/** What was changed in the home by hand: look at it, take it over, or put it back. Neither side is lost by any of these. */
export class DriftCommands implements vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #log: Log;
  readonly #disposables: vscode.Disposable[];
  /** Files whose two sides are being merged in an editor. */
  readonly #merging = new Set<string>();
  #told = new Set<string>();
  #following: vscode.Disposable | undefined;

  constructor(current: CurrentConnection, log: Log) {
    this.#current = current;
    this.#log = log;
    this.#disposables = [
      current.onDidChange((connection) => this.#follow(connection)),
      vscode.workspace.onDidSaveTextDocument(({ uri }) => {
        if (uri.scheme !== dotfileScheme || !this.#merging.delete(uri.toString())) return;
        // Both sides are in what was saved, so the edit that was kept has done its service.
        const { dotfiles } = this.#current.require();
        void runGuarded(() => dotfiles.restoreDrift(pathOf(uri) as HomePath), 'end a merge', this.#log);
      }),
    ];
  }

  async compare(path: string | undefined): Promise<void> {
    const connection = this.#current.require();
    const drift = path === undefined ? undefined : connection.dotfiles.drift(path);
    if (path === undefined || drift === undefined) return;
    const account = accountOf(connection.session);
    const edited = editedUri(account, drift);
    if (edited === undefined || drift.state === 'mode') {
      void vscode.window.showInformationMessage(driftText(drift));
      return;
    }
    const title = vscode.l10n.t('{0} (in the box) ↔ {0} (overlay)', nameOf(path));
    await vscode.commands.executeCommand('vscode.diff', edited, dotfileUri(account, path), title);
  }

  async take(paths: readonly string[]): Promise<void> {
    const { dotfiles } = this.#current.require();
    for (const path of paths) {
      const drift = dotfiles.drift(path);
      if (drift === undefined) continue;
      if (drift.state === 'conflict' && !(await agrees(path))) continue;
      await dotfiles.takeDrift(path as HomePath);
    }
  }

  async restore(paths: readonly string[]): Promise<void> {
    const { dotfiles } = this.#current.require();
    for (const path of paths) {
      if (dotfiles.drift(path) === undefined) continue;
      const { applied, keptVersion } = await dotfiles.restoreDrift(path as HomePath);
      if (applied.state === 'refused') this.#tellRefused(path, applied);
      if (keptVersion === undefined) continue;
      const text = vscode.l10n.t('{0}: what was in the box is version {1} of it.', nameOf(path), keptVersion);
      vscode.window.setStatusBarMessage(text, 8000);
    }
  }

  /** The merge editor where the version that both come from is known; otherwise the two beside each other. */
  async merge(path: string | undefined): Promise<void> {
    const connection = this.#current.require();
    const drift = path === undefined ? undefined : connection.dotfiles.drift(path);
    const current = path === undefined ? undefined : connection.dotfiles.entry(path)?.dotfile;
    if (path === undefined || drift === undefined || current === undefined) return;
    const account = accountOf(connection.session);
    const edited = editedUri(account, drift);
    const output = dotfileUri(account, path);
    if (edited === undefined || drift.baseVersion === undefined) return await this.compare(path);
    this.#merging.add(output.toString());
    try {
      await vscode.commands.executeCommand('_open.mergeEditor', {
        base: versionUri(account, path, drift.baseVersion),
        input1: { uri: edited, title: vscode.l10n.t('In the Box') },
        input2: { uri: versionUri(account, path, current.version), title: vscode.l10n.t('Overlay') },
        output,
      });
    } catch (error) {
      // The command is VS Code's own and may go: docs/decisions/0111-merge-editor.md.
      this.#log.warn(`no merge editor: ${failureText(error)}`);
      this.#merging.delete(output.toString());
      await this.compare(path);
    }
  }

  dispose(): void {
    this.#following?.dispose();
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  #follow(connection: Connection | undefined): void {
    this.#following?.dispose();
    this.#told = new Set();
    this.#showDrifted(connection);
    this.#following = connection?.dotfiles.onDidChangeProblems((paths) => {
      this.#showDrifted(connection);
      for (const path of paths) this.#tellOfBothSides(connection, path);
    });
  }

  /** Not waited for: the others are restored meanwhile. */
  #tellRefused(path: string, { detail = '' }: Applied): void {
    const retry = vscode.l10n.t('Retry');
    const what = vscode.l10n.t('{0} could not be restored in the box.', nameOf(path));
    const next = vscode.l10n.t('Look at what is at ~/{0} in a terminal, then try again.', path);
    void vscode.window.showWarningMessage([what, asPlainText(detail), next].join(' '), retry).then((answer) => {
      if (answer === retry) void runGuarded(() => this.restore([path]), 'restore in the home', this.#log);
    });
  }

  #showDrifted(connection: Connection | undefined): void {
    setContext('spoon.dotfiles.drifted', connection?.dotfiles.drifted.map((path) => `/${path}`) ?? []);
  }

  /** Two people's work, or twice one's own: worth a message. What changed in the box alone is a letter in the tree. */
  #tellOfBothSides(connection: Connection, path: string): void {
    const drift = connection.dotfiles.drift(path);
    if (drift?.state !== 'conflict') return void this.#told.delete(path);
    if (this.#told.has(path) || !vscode.window.state.focused) return;
    this.#told.add(path);
    const merge = vscode.l10n.t('Merge…');
    const compare = vscode.l10n.t('Compare');
    const text = vscode.l10n.t('{0} was changed in the box and in Spoon. Both are kept.', nameOf(path));
    const buttons = drift.baseVersion === undefined ? [compare] : [merge, compare];
    void vscode.window.showWarningMessage(text, ...buttons).then((answer) => {
      if (answer === undefined) return undefined;
      const work = answer === merge ? () => this.merge(path) : () => this.compare(path);
      return runGuarded(work, 'look at both sides', this.#log);
    });
  }
}

/** Where the edit can be read; undefined when there is nothing to read. */
function editedUri(account: string, { path, home, driftVersion }: DotfileDrift): vscode.Uri | undefined {
  if (driftVersion !== undefined) return versionUri(account, path, driftVersion);
  return home?.kind === 'file' ? homeUri(account, path) : undefined;
}

async function agrees(path: string): Promise<boolean> {
  const take = vscode.l10n.t('Take It');
  const question = vscode.l10n.t('{0} was changed in Spoon, too. Take what is in the box instead?', nameOf(path));
  const detail = vscode.l10n.t('What is stored now stays in the history of the file.');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, take)) === take;
}

/** How the home differs, for a person. */
export function driftText({ state, home }: DotfileDrift): string {
  const what: Readonly<Record<DotfileDrift['state'], string>> = {
    modified: vscode.l10n.t('Changed in the box.'),
    missing: vscode.l10n.t('Deleted in the box.'),
    mode: vscode.l10n.t('Its mode was changed in the box, to {0}.', home?.mode.toString(8) ?? ''),
    replaced: vscode.l10n.t('Something else is in its place in the box.'),
    kept: vscode.l10n.t('A change made in the box was in the way; it is kept as a version.'),
    conflict: vscode.l10n.t('Changed in the box and in Spoon; both are kept.'),
  };
  return what[state];
}
