import * as vscode from 'vscode';
import { dotfileManagers } from '../../protocol/dotfileManagers.ts';
import type { RepositoryRun, RepositoryState, RunRepositoryRequest } from '../../protocol/repository.ts';
import type { RepositoryCommandId } from '../commandIds.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { setContext } from '../contextKeys.ts';
import { asPlainText } from '../failure.ts';
import type { CommandHandler } from '../registerCommands.ts';
import type { SecretWriter } from '../secrets/secretWriter.ts';
import { changeAccess, configureRepository } from './configureRepository.ts';
import { chooseFetchAlso } from './fetchAlso.ts';
import { PreviewDocument } from './previewDocument.ts';
import { RepositoryHistory } from './repositoryHistory.ts';
import { RepositoryLog } from './repositoryLog.ts';
import { failureNotice, moodOf, type Remedy, remedies, repositoryName } from './repositoryText.ts';
import { testInScratch } from './scratchTest.ts';

/** The age in the tree's row is told anew so often. */
const ageMs = 60_000;

const remedyCommands = {
  access: 'spoon.repository.changeAccess',
  check: 'spoon.repository.checkForUpdates',
  configure: 'spoon.repository.configure',
  log: 'spoon.repository.showLog',
  retry: 'spoon.repository.run',
  run: 'spoon.repository.run',
} as const satisfies Record<Remedy, RepositoryCommandId>;

interface Tree {
  /** All of it: a row that VS Code does not yet know again cannot be told to change. */
  refresh(): void;
}

/** Everything of the dotfiles repository in VS Code: its commands, its log, and what is told without being asked. */
export class RepositoryParts implements vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #tree: Tree;
  readonly #log: RepositoryLog;
  readonly #history: RepositoryHistory;
  readonly #preview: PreviewDocument;
  readonly #writer: SecretWriter;
  readonly #disposables: vscode.Disposable[];
  #following: vscode.Disposable | undefined;

  constructor(current: CurrentConnection, tree: Tree, writer: SecretWriter) {
    this.#current = current;
    this.#tree = tree;
    this.#writer = writer;
    this.#log = new RepositoryLog(current);
    this.#preview = new PreviewDocument();
    this.#history = new RepositoryHistory(current, this.#preview);
    const timer = setInterval(() => tree.refresh(), ageMs);
    this.#disposables = [
      this.#log,
      this.#preview,
      new vscode.Disposable(() => clearInterval(timer)),
      current.onDidChange((connection) => this.#follow(connection)),
    ];
  }

  get commands(): Readonly<Record<RepositoryCommandId, CommandHandler>> {
    return {
      'spoon.repository.configure': () => this.#configure(),
      'spoon.repository.checkForUpdates': () => this.#check(),
      'spoon.repository.update': () => this.#run({ update: true }),
      'spoon.repository.run': () => this.#run({}),
      'spoon.repository.preview': () => this.#history.preview(),
      'spoon.repository.testInScratch': () => testInScratch(this.#current.require(), this.#preview),
      'spoon.repository.rollBack': () => this.#history.rollBack(),
      'spoon.repository.rollBackFile': () => this.#history.rollBackFile(),
      'spoon.repository.changeAccess': () => this.#changeAccess(),
      'spoon.repository.fetchAlso': () => this.#fetchAlso(),
      'spoon.repository.alwaysOrAsk': () => this.#alwaysOrAsk(),
      'spoon.repository.cancel': () => this.#call('cancelRepository'),
      'spoon.repository.showLog': () => this.#log.show(),
      'spoon.repository.switchOnOrOff': () => this.#switch(),
      'spoon.repository.remove': () => this.#remove(),
    };
  }

  dispose(): void {
    this.#following?.dispose();
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  #follow(connection: Connection | undefined): void {
    this.#following?.dispose();
    this.#show(connection?.repository.state);
    if (connection === undefined) return;
    const { repository, dotfilesSwitch } = connection;
    this.#following = vscode.Disposable.from(
      dotfilesSwitch.onDidChange(() => this.#show(repository.state)),
      repository.onDidChange(() => this.#show(repository.state)),
      repository.onDidEnd((run) => this.#ended(run)),
    );
  }

  #show(state: RepositoryState | undefined): void {
    const isOff = this.#current.connection?.dotfilesSwitch.state.on === false;
    const mood = state === undefined || state.settings === null ? 'none' : isOff ? 'off' : moodOf(state);
    setContext('spoon.repository', mood);
    this.#tree.refresh();
    this.#log.changed();
  }

  #ended(run: RepositoryRun): void {
    if (run.state === 'failed') void this.#tellFailure(run);
    else if (run.state === 'ok' && run.manager !== null) void this.#offer(run.manager);
  }

  async #tellFailure(run: RepositoryRun): Promise<void> {
    const buttons = remedies(run).map((remedy) => ({ title: remedyTitle(remedy), command: remedyCommands[remedy] }));
    const answer = await vscode.window.showErrorMessage(asPlainText(failureNotice(run)), ...buttons);
    if (answer !== undefined) await vscode.commands.executeCommand(answer.command);
  }

  /** Recognised; its command is shown and runs only if that is chosen. */
  async #offer(manager: NonNullable<RepositoryRun['manager']>): Promise<void> {
    const { title, command } = dotfileManagers[manager];
    const use = vscode.l10n.t('Use {0}', title);
    const text = vscode.l10n.t(
      'Your dotfiles repository looks like one of {0}. Set it up with its own command? {1}',
      title,
      command,
    );
    if ((await vscode.window.showInformationMessage(text, use)) !== use) return;
    const { api, repository } = this.#current.require();
    const settings = repository.state?.settings;
    if (settings) repository.take(await api.call('setRepository', { body: { ...settings, setup: null, manager } }));
  }

  async #configure(): Promise<void> {
    const connection = this.#current.require();
    const state = await configureRepository(connection, this.#writer);
    if (state === undefined || state.settings === null) return;
    connection.repository.take(state);
    if (state.run?.state === 'running') return;
    const open = vscode.l10n.t('Open Terminal');
    const text = vscode.l10n.t('{0} is set up when your box starts.', repositoryName(state.settings.url));
    if ((await vscode.window.showInformationMessage(text, open)) === open) {
      await vscode.commands.executeCommand('spoon.openThreadTerminal');
    }
  }

  async #check(): Promise<void> {
    const { api, repository } = this.#current.require();
    const title = vscode.l10n.t('Asking your dotfiles repository…');
    const state = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
      api.call('checkRepository'),
    );
    repository.take(state);
    if (state.available === null) {
      void vscode.window.showInformationMessage(vscode.l10n.t('Your dotfiles repository has nothing new.'));
      return;
    }
    const update = vscode.l10n.t('Update');
    const [before, after] = [state.commit?.slice(0, 12) ?? '', state.available.slice(0, 12)];
    const text = vscode.l10n.t('Your dotfiles repository moved from {0} to {1}. Its setup runs again.', before, after);
    if ((await vscode.window.showInformationMessage(text, update)) === update)
      await this.#run({ update: true, commit: state.available });
  }

  async #run(body: RunRepositoryRequest): Promise<void> {
    const { api, repository } = this.#current.require();
    repository.take(await api.call('runRepository', { body }));
  }

  async #call(name: 'cancelRepository' | 'removeRepository'): Promise<void> {
    const { api, repository } = this.#current.require();
    repository.take(await api.call(name));
  }

  async #changeAccess(): Promise<void> {
    const connection = this.#current.require();
    const state = await changeAccess(connection, this.#writer);
    if (state !== undefined) connection.repository.take(state);
  }

  async #fetchAlso(): Promise<void> {
    const connection = this.#current.require();
    const state = await chooseFetchAlso(connection);
    if (state !== undefined) connection.repository.take(state);
  }

  async #alwaysOrAsk(): Promise<void> {
    const { api, repository } = this.#current.require();
    const settings = repository.state?.settings;
    if (!settings) return;
    const always = !settings.always;
    if (always) {
      const yes = vscode.l10n.t('Always Take Updates');
      const question = vscode.l10n.t('Take every new commit without asking?');
      const detail = vscode.l10n.t(
        'Whoever can push to {0} can then change your home, and what runs in it, at each start of your box.',
        repositoryName(settings.url),
      );
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
    }
    repository.take(await api.call('setRepository', { body: { ...settings, always } }));
  }

  async #switch(): Promise<void> {
    const { api, repository } = this.#current.require();
    const settings = repository.state?.settings;
    if (!settings) return;
    repository.take(await api.call('setRepository', { body: { ...settings, enabled: !settings.enabled } }));
  }

  async #remove(): Promise<void> {
    const remove = vscode.l10n.t('Forget Repository');
    const detail = vscode.l10n.t(
      'Links that Spoon made are taken out, and what they displaced is put back. What a setup script did elsewhere cannot be undone and stays.',
    );
    const question = vscode.l10n.t('Forget your dotfiles repository?');
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) === remove) {
      await this.#call('removeRepository');
    }
  }
}

function remedyTitle(remedy: Remedy): string {
  switch (remedy) {
    case 'access':
      return vscode.l10n.t('Set Token or Deploy Key…');
    case 'check':
      return vscode.l10n.t('Check for Updates');
    case 'configure':
      return vscode.l10n.t('Configure…');
    case 'log':
      return vscode.l10n.t('Show Log');
    case 'retry':
      return vscode.l10n.t('Try Again');
    case 'run':
      return vscode.l10n.t('Run Setup Again');
  }
}
