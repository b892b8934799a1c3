import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import { maxSecretBytesPerUser } from '../../protocol/limits.ts';
import type { Connection } from '../connection/connection.ts';
import { asPlainText } from '../failure.ts';
import type { Platform } from '../platform.ts';
import { type EnvEntry, type RefusedEntry, sortEntries } from './envFile.ts';
import type { SecretWriter } from './secretWriter.ts';

interface EntryItem extends vscode.QuickPickItem {
  readonly entry?: EnvEntry;
}

const maxNamed = 5;

export interface ImportParts {
  readonly writer: SecretWriter;
  readonly parseEnv: Platform['parseEnv'];
}

/** *Import Secrets from .env…*: names are shown, values are not; what cannot be a secret is named with its reason. */
export async function importEnv(connection: Connection, { writer, parseEnv }: ImportParts): Promise<void> {
  const uri = await pickFile();
  if (uri === undefined) return;
  const { size } = await vscode.workspace.fs.stat(uri);
  if (size > maxSecretBytesPerUser) {
    throw new SpoonError('body-too-large', `All secrets together may have ${maxSecretBytesPerUser / 1024} KiB.`);
  }
  const { entries, refused } = sortEntries(parseEnv(textOf(await vscode.workspace.fs.readFile(uri))));
  if (entries.length === 0) {
    const none = vscode.l10n.t('Nothing in this file can be a secret.');
    void vscode.window.showWarningMessage([none, refusedText(refused)].filter(Boolean).join(' '));
    return;
  }
  const chosen = await choose(connection, entries, refused);
  if (chosen === undefined || chosen.length === 0) return;
  const { set, failed } = await storeAll(connection, chosen, writer);
  const text =
    set.length === 1 ? vscode.l10n.t('1 secret was set.') : vscode.l10n.t('{0} secrets were set.', set.length);
  const trouble = refusedText(failed);
  if (trouble === '') void vscode.window.showInformationMessage(text);
  else void vscode.window.showWarningMessage(`${text} ${trouble}`);
}

async function pickFile(): Promise<vscode.Uri | undefined> {
  const picked = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Import Secrets from .env'),
    openLabel: vscode.l10n.t('Import'),
  });
  return picked?.[0];
}

/** @throws SpoonError `invalid-encoding` */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SpoonError('invalid-encoding', 'The file is not UTF-8 text. Nothing was imported.');
  }
}

/** Undefined when it is left. What cannot be a secret is in the list, with the reason, and cannot be chosen. */
async function choose(
  { secrets }: Connection,
  entries: readonly EnvEntry[],
  refused: readonly RefusedEntry[],
): Promise<readonly EnvEntry[] | undefined> {
  const fit = entries.map((entry): EntryItem => {
    const isKnown = secrets.find(entry.name, null) !== undefined;
    const description = isKnown ? vscode.l10n.t('replaces the value that it has') : '';
    return { label: entry.name, description, iconPath: new vscode.ThemeIcon('key'), picked: !isKnown, entry };
  });
  const unfit = refused.map(
    ({ name, why }): EntryItem => ({
      label: asPlainText(name),
      description: asPlainText(why),
      iconPath: new vscode.ThemeIcon('circle-slash'),
    }),
  );
  const parting: EntryItem = { label: vscode.l10n.t('Left Out'), kind: vscode.QuickPickItemKind.Separator };
  const input = vscode.window.createQuickPick<EntryItem>();
  try {
    return await new Promise((resolve) => {
      input.title = vscode.l10n.t('Choose Secrets to Import');
      input.placeholder = vscode.l10n.t('Which of these become secrets, in shells everywhere');
      input.canSelectMany = true;
      input.ignoreFocusOut = true;
      input.items = [...fit, ...(unfit.length > 0 ? [parting, ...unfit] : [])];
      input.selectedItems = fit.filter(({ picked }) => picked);
      input.onDidChangeSelection((items) => {
        if (items.some(({ entry }) => entry === undefined)) {
          input.selectedItems = items.filter(({ entry }) => entry !== undefined);
        }
      });
      input.onDidHide(() => resolve(undefined));
      input.onDidAccept(() =>
        resolve(input.selectedItems.flatMap(({ entry }) => (entry === undefined ? [] : [entry]))),
      );
      input.show();
    });
  } finally {
    input.dispose();
  }
}

async function storeAll(
  connection: Connection,
  entries: readonly EnvEntry[],
  writer: SecretWriter,
): Promise<{ set: readonly string[]; failed: readonly RefusedEntry[] }> {
  const set: string[] = [];
  const failed: RefusedEntry[] = [];
  const title = vscode.l10n.t('Sealing secrets…');
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  await vscode.window.withProgress(options, async (progress, cancelled) => {
    for (const { name, value } of entries) {
      if (cancelled.isCancellationRequested) failed.push({ name, why: vscode.l10n.t('It was cancelled.') });
      else {
        progress.report({ message: name, increment: 100 / entries.length });
        try {
          await writer.store(connection, { name, spoon: null, value: new TextEncoder().encode(value) });
          set.push(name);
        } catch (error) {
          if (!(error instanceof SpoonError)) throw error;
          failed.push({ name, why: error.message });
        }
      }
    }
  });
  return { set, failed };
}

function refusedText(refused: readonly RefusedEntry[]): string {
  if (refused.length === 0) return '';
  const named = refused.slice(0, maxNamed).map(({ name, why }) => `${name}: ${why}`);
  const more = refused.length - named.length;
  const list = [...named, ...(more > 0 ? [vscode.l10n.t('{0} more.', more)] : [])].join(' ');
  return asPlainText(vscode.l10n.t('Not set: {0}', list));
}
