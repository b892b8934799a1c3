import * as vscode from 'vscode';
import { previewText } from '../../client/previewText.ts';
import type { PreviewRepositoryRequest, RepositoryGeneration, RepositoryPreview } from '../../protocol/repository.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { timeText } from '../dotfiles/timeText.ts';
import { asPlainText } from '../failure.ts';
import type { PreviewDocument } from './previewDocument.ts';

/** What a run would do before it does, and the way back after it did. */
export class RepositoryHistory {
  readonly #current: CurrentConnection;
  readonly #document: PreviewDocument;

  constructor(current: CurrentConnection, document: PreviewDocument) {
    this.#current = current;
    this.#document = document;
  }

  /** Of an update where there is one, else of the commit that counts. */
  async preview(): Promise<void> {
    const connection = this.#current.require();
    const state = connection.repository.state;
    const isUpdate = state?.available !== null && state?.available !== undefined;
    const found = await lookAhead(connection, isUpdate ? { update: true } : {});
    await this.#document.show(vscode.l10n.t('What your dotfiles repository would do'), previewText(found));
    if (!isUpdate && !found.wouldRun) return;
    const apply = isUpdate ? vscode.l10n.t('Update') : vscode.l10n.t('Run Setup');
    const text = vscode.l10n.t('Nothing was changed. Apply commit {0}?', found.commit.slice(0, 12));
    if ((await vscode.window.showInformationMessage(text, apply)) !== apply) return;
    const { api, repository } = connection;
    repository.take(await api.call('runRepository', { body: isUpdate ? { update: true, commit: found.commit } : {} }));
  }

  async rollBack(): Promise<void> {
    const connection = this.#current.require();
    const { api, repository } = connection;
    const { generations, current } = await api.call('repositoryGenerations');
    const item = await vscode.window.showQuickPick(itemsOf(generations, current), {
      title: vscode.l10n.t('Roll Back Dotfiles Repository'),
      placeHolder: vscode.l10n.t('The apply to go back to; what it would do is shown first'),
    });
    if (item === undefined) return;
    const { number } = item;
    if (number > 0) {
      const found = await lookAhead(connection, { generation: number });
      await this.#document.show(
        vscode.l10n.t('What going back to generation {0} would do', number),
        previewText(found),
      );
    }
    const yes = vscode.l10n.t('Roll Back');
    const question =
      number === 0
        ? vscode.l10n.t('Go back to your home before the dotfiles repository?')
        : vscode.l10n.t('Go back to generation {0}?', number);
    const detail = vscode.l10n.t(
      'The checkout and the links go back to what they were, and what they displaced is put back. What a setup script did elsewhere is not undone; the earlier one only runs again. Newer commits are not taken by themselves until you switch that on.',
    );
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
    repository.take(await api.call('rollBackRepository', { body: { generation: number } }));
  }

  /** One file of `~/.dotfiles`, of those that an earlier generation has otherwise. */
  async rollBackFile(): Promise<void> {
    const connection = this.#current.require();
    const { api } = connection;
    const title = vscode.l10n.t('Roll Back One File of Dotfiles Repository');
    const { generations, current } = await api.call('repositoryGenerations');
    const placeHolder = vscode.l10n.t('The apply that has the file as you want it');
    const items = itemsOf(generations, current).filter(({ number }) => number > 0);
    const item = await vscode.window.showQuickPick(items, { title, placeHolder });
    if (item === undefined) return;
    const { files } = await lookAhead(connection, { generation: item.number });
    const there = files.filter(({ change }) => change !== 'removed');
    if (there.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('That generation has no file that is another one now.'));
      return;
    }
    const path = await vscode.window.showQuickPick(
      there.map(({ path }) => path),
      { title, placeHolder: vscode.l10n.t('The file; all others stay as they are') },
    );
    if (path === undefined) return;
    const body = { generation: item.number, path: `.dotfiles/${path}` };
    const { notes } = await api.call('rollBackRepositoryFile', { body });
    void vscode.window.showInformationMessage(asPlainText(notes.join(' ')));
  }
}

/** May fetch, and start the box for it. @throws SpoonError as the route */
export async function lookAhead(
  { api }: Pick<Connection, 'api'>,
  body: PreviewRepositoryRequest,
): Promise<RepositoryPreview> {
  const title = vscode.l10n.t('Looking at your dotfiles repository…');
  return await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    api.call('previewRepository', { body, timeoutMs: 240_000 }),
  );
}

interface GenerationItem extends vscode.QuickPickItem {
  readonly number: number;
}

function itemsOf(generations: readonly RepositoryGeneration[], current: number | null): GenerationItem[] {
  const nowMs = Date.now();
  return [
    ...generations.map(({ number, commit, endedMs, settings, script }) => ({
      number,
      label: vscode.l10n.t('Generation {0}', number),
      description: `${commit.slice(0, 12)} · ${timeText(endedMs, nowMs, 'en')}${number === current ? ` · ${vscode.l10n.t('current')}` : ''}`,
      detail: `${settings.url} · ${script ?? vscode.l10n.t('links')}`,
    })),
    {
      number: 0,
      label: vscode.l10n.t('Before Any'),
      description: vscode.l10n.t('switches the repository off, and puts back what it displaced'),
    },
  ];
}
