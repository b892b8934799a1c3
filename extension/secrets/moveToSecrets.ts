import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { findSecrets } from '../../protocol/secretRules.ts';
import type { SetSecretResult } from '../../protocol/secrets.ts';
import type { Connection } from '../connection/connection.ts';
import { nameOf } from '../dotfiles/dotfileIndex.ts';
import { accountOf, dotfileUri, homePathOf } from '../dotfiles/dotfileUri.ts';
import { failureText } from '../failure.ts';
import type { Log } from '../outputLog.ts';
import { runGuarded } from '../registerCommands.ts';
import { askReplacement } from './askReplacement.ts';
import { forgetHolders, versionsHolding } from './earlierVersions.ts';
import { replaceValue, syntaxOf, type Takeable, takeable } from './secretReference.ts';
import type { SecretWriter } from './secretWriter.ts';

interface Candidate extends Takeable {
  readonly what: string;
  /** From 1. */
  readonly line: number;
}

interface Source {
  readonly path: HomePath;
  readonly text: string;
  readonly etag: string;
  readonly version: number;
}

export interface MoveParts {
  readonly writer: SecretWriter;
  readonly log: Log;
}

/**
 * *Move to Secrets…*: the value is a secret, the file refers to it, or nothing has changed.
 * @throws SpoonError; vscode.CancellationError
 */
export async function moveToSecrets(connection: Connection, path: HomePath, { writer, log }: MoveParts): Promise<void> {
  if (!(await isSaved(connection, path))) return;
  const source = await read(connection, path);
  const candidate = await choose(connection, source);
  if (candidate === undefined) return;
  const syntax = syntaxOf(path, source.text);
  const answer = await askReplacement(connection, { path, syntax, suggestedName: candidate.suggestedName });
  if (answer === undefined) return;
  const text = replaceValue(source.text, candidate.value, { syntax, by: answer.by });
  if (text === undefined) return sayUnmovable(source, candidate.line);

  const title = vscode.l10n.t('Moving to secrets…');
  const { saved, result, holding } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title },
    async () => {
      const done = await moveAll(connection, source, {
        name: answer.name,
        isNew: answer.isNew,
        candidate,
        text,
        writer,
      });
      return { ...done, holding: await versionsHolding(connection, path, candidate.value) };
    },
  );
  const moved: Moved = { source, name: answer.name, isNew: answer.isNew, etag: saved.dotfile.etag, result, holding };
  void runGuarded(() => tellMoved(connection, moved), 'after a move to secrets', log);
}

interface Move {
  readonly name: string;
  /** False: there is a secret of this name, which stays as it is. */
  readonly isNew: boolean;
  readonly candidate: Candidate;
  readonly text: string;
  readonly writer: SecretWriter;
}

/** The secret first: a file that refers to nothing would be the worse half. */
async function moveAll(connection: Connection, { path, etag }: Source, { name, isNew, candidate, text, writer }: Move) {
  const result = isNew
    ? await writer.store(connection, { name, spoon: null, value: new TextEncoder().encode(candidate.value) })
    : undefined;
  try {
    const saved = await connection.dotfiles.save(path, new TextEncoder().encode(text), { base: { etag } });
    return { saved, result };
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    const left = isNew ? await takeBack(connection, name) : undefined;
    const rest = left ?? vscode.l10n.t('Nothing was moved.');
    throw new SpoonError(error.code, `${failureText(error)} ${rest}`);
  }
}

/** @returns what is left to do by hand, if something is */
async function takeBack({ secrets }: Connection, name: string): Promise<string | undefined> {
  try {
    await secrets.remove({ name, spoon: null });
    return undefined;
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    return vscode.l10n.t('The file is as it was. The secret {0} was set and is still there; delete it.', name);
  }
}

interface Moved {
  readonly source: Source;
  readonly name: string;
  readonly isNew: boolean;
  /** Of the file without the value. */
  readonly etag: string;
  readonly result: SetSecretResult | undefined;
  /** Earlier versions that hold the value. */
  readonly holding: readonly number[];
}

async function tellMoved(connection: Connection, moved: Moved): Promise<void> {
  const { source, name, result, holding } = moved;
  const forget = vscode.l10n.t('Forget Earlier Versions…');
  const undo = vscode.l10n.t('Undo');
  const earlier =
    holding.length === 1
      ? vscode.l10n.t('1 earlier version of the file still holds the value.')
      : vscode.l10n.t('{0} earlier versions of the file still hold the value.', holding.length);
  const older = (result?.olderTerminals.length ?? 0) > 0;
  const parts = [
    vscode.l10n.t('{0} is a secret now, and {1} refers to it.', name, nameOf(source.path)),
    older ? vscode.l10n.t('Open shells keep what they started with.') : '',
    holding.length > 0 ? earlier : '',
  ];
  const text = parts.filter(Boolean).join(' ');
  const answer = await vscode.window.showInformationMessage(text, ...(holding.length > 0 ? [forget] : []), undo);
  if (answer === forget) await forgetHolders(connection, { path: source.path, name, versions: holding });
  if (answer === undo) await undoMove(connection, moved);
}

async function undoMove({ dotfiles, secrets }: Connection, { source, name, isNew, etag }: Moved): Promise<void> {
  await dotfiles.restore(source.path, { version: source.version, etag });
  if (isNew) await secrets.remove({ name, spoon: null });
  vscode.window.setStatusBarMessage(vscode.l10n.t('{0} is as it was', nameOf(source.path)), 5000);
}

/** What is typed and not yet saved would be lost, or would bring the value back. */
async function isSaved({ session }: Connection, path: HomePath): Promise<boolean> {
  const uri = dotfileUri(accountOf(session), path).toString();
  const document = vscode.workspace.textDocuments.find((one) => one.uri.toString() === uri);
  if (document === undefined || !document.isDirty) return true;
  const save = vscode.l10n.t('Save');
  const question = vscode.l10n.t('{0} has changes that are not saved.', nameOf(path));
  const detail = vscode.l10n.t('They are saved first, and then the value is moved.');
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, save)) !== save) return false;
  return await document.save();
}

async function read({ dotfiles }: Connection, path: HomePath): Promise<Source> {
  const { bytes, kind, etag, version } = await dotfiles.read(path);
  if (kind === 'file') {
    try {
      // With its mark of byte order, if it has one: what is written back is the same but for the value.
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return { path, text: decoder.decode(bytes), etag, version };
    } catch {
      throw new SpoonError('invalid-encoding', `${nameOf(path)} is not UTF-8 text. Nothing was moved.`);
    }
  }
  throw new SpoonError('not-a-regular-file', `${nameOf(path)} is a symbolic link or a folder. Nothing was moved.`);
}

async function choose(connection: Connection, source: Source): Promise<Candidate | undefined> {
  const selected = selection(connection, source);
  if (selected !== undefined) return selected;
  const { path, text } = source;
  const findings = findSecrets(path, new TextEncoder().encode(text));
  const candidates = findings.flatMap((finding): Candidate[] => {
    const found = takeable(path, text, finding);
    return found === undefined ? [] : [{ ...found, what: finding.what, line: finding.line }];
  });
  const [first] = candidates;
  if (first === undefined) {
    const [finding] = findings;
    if (finding !== undefined) sayUnmovable(source, finding.line);
    else {
      const none = vscode.l10n.t(
        'Nothing in {0} looks like a key or password. Select a value and try again.',
        nameOf(path),
      );
      void vscode.window.showInformationMessage(none);
    }
    return undefined;
  }
  if (candidates.length === 1) return first;
  const items = candidates.map((candidate) => ({
    label: vscode.l10n.t('Line {0}', candidate.line),
    description: `${candidate.what}, ${candidate.suggestedName}`,
    candidate,
  }));
  const title = vscode.l10n.t('Move to Secrets: which of {0}', nameOf(path));
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.candidate;
}

/** What is selected in the editor of this file, on one line. */
function selection({ session }: Connection, { path, text }: Source): Candidate | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.uri.toString() !== dotfileUri(accountOf(session), path).toString()) return undefined;
  if (editor.selection.isEmpty || !editor.selection.isSingleLine) return undefined;
  const value = editor.document.getText(editor.selection).trim();
  if (value === '' || !text.includes(value)) return undefined;
  return { value, suggestedName: '', what: vscode.l10n.t('the selection'), line: editor.selection.start.line + 1 };
}

function sayUnmovable({ path }: Source, line: number): void {
  const make = vscode.l10n.t('New Secret…');
  const text = vscode.l10n.t(
    'Line {0} of {1} does not hold a value that a variable could stand for. Make a secret of it by hand, and change the file yourself.',
    line,
    nameOf(path),
  );
  void vscode.window.showWarningMessage(text, make).then((answer) => {
    if (answer === make) return vscode.commands.executeCommand('spoon.secrets.new');
    return undefined;
  });
}

/** Of a node of the tree, the uri of an editor, or what the editor shows. */
export function dotfileOf(argument: unknown): HomePath | undefined {
  if (argument instanceof vscode.Uri) return argument.scheme === 'spoon-dotfiles' ? homePathOf(argument) : undefined;
  if (typeof argument === 'object' && argument !== null && 'path' in argument && typeof argument.path === 'string') {
    return homePathOf(vscode.Uri.from({ scheme: 'spoon-dotfiles', path: `/${argument.path}` }));
  }
  const shown = vscode.window.activeTextEditor?.document.uri;
  return shown?.scheme === 'spoon-dotfiles' ? homePathOf(shown) : undefined;
}
