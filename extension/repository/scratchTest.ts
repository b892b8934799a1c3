import * as vscode from 'vscode';
import { phaseText, scratchText } from '../../client/scratchText.ts';
import type { ScratchTest } from '../../protocol/scratch.ts';
import type { Connection } from '../connection/connection.ts';
import type { PreviewDocument } from './previewDocument.ts';
import { stageText } from './repositoryText.ts';

const pollMs = 500;
/** Its box and copy are removed first. */
const cancelMs = 180_000;

/**
 * Clone and setup in a throw-away box, with progress; what it found is shown as a document, and applied if that is wanted.
 * @throws SpoonError
 */
export async function testInScratch({ api, repository }: Connection, document: PreviewDocument): Promise<void> {
  const { available, commit, settings } = repository.state ?? { available: null, commit: null, settings: null };
  const isAgreed = available === null && commit !== null && settings?.enabled === true;
  if (!isAgreed && !(await agreeToTest(available ?? commit))) return;
  const body = available === null ? {} : { update: true };
  const title = vscode.l10n.t('Testing your dotfiles setup in a scratch box');
  const ended = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token): Promise<ScratchTest | null> => {
      let { test } = await api.call('testRepository', { body });
      while (test?.state === 'running') {
        progress.report({ message: `${phaseText(test)}…` });
        await pause(token);
        ({ test } = token.isCancellationRequested
          ? await api.call('cancelRepositoryTest', { timeoutMs: cancelMs })
          : await api.call('repositoryTest'));
      }
      return test;
    },
  );
  if (ended === null || ended.state === 'cancelled') return;
  const { bytes } = await api.call('repositoryTestLog');
  const log = new TextDecoder().decode(bytes).trimEnd();
  const lines = [...scratchText(ended, stageText), ...(log === '' ? [] : ['', vscode.l10n.t('Its log:'), '', log])];
  await document.show(vscode.l10n.t('What the test in a scratch box found'), lines);
  // Where no commit counts yet, a run would take what is there by then.
  if (ended.state !== 'ok' || ended.run?.commit == null || commit === null || settings?.enabled !== true) return;
  const apply = available === null ? vscode.l10n.t('Run Setup') : vscode.l10n.t('Update');
  const text = vscode.l10n.t('The setup ended well in the scratch box. Do the same in your home?');
  if ((await vscode.window.showInformationMessage(text, apply)) !== apply) return;
  const request = available === null ? {} : { update: true, commit: ended.run.commit };
  repository.take(await api.call('runRepository', { body: request }));
}

/** @param commit null where none is known before it is fetched */
async function agreeToTest(commit: string | null): Promise<boolean> {
  const test = vscode.l10n.t('Test');
  const question =
    commit === null
      ? vscode.l10n.t('Test your dotfiles repository in a scratch box?')
      : vscode.l10n.t('Test commit {0} in a scratch box?', commit.slice(0, 12));
  const detail = vscode.l10n.t(
    'Its setup gets a copy of your home: it can read all of that, and use the network, as in a real run. It cannot reach your real home. Your secrets for setups are left out until you have agreed to the commit.',
  );
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, test)) === test;
}

/** Ends early when the person cancels. */
async function pause(token: vscode.CancellationToken): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, pollMs);
  const cancelled = token.onCancellationRequested(() => resolve());
  await promise;
  clearTimeout(timer);
  cancelled.dispose();
}
