import * as vscode from 'vscode';
import { checkEnvName } from '../../protocol/envName.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxSecretBytes } from '../../protocol/limits.ts';
import type { SecretScope } from '../../protocol/secrets.ts';
import { askStep, type StepAnswer } from '../auth/inputSteps.ts';
import { failureText } from '../failure.ts';
import { scopes, scopeWords } from './secretWords.ts';

/** Where in a row of questions one stands. */
export interface Place {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
}

/** Checked as it is typed. @throws vscode.CancellationError */
export async function askName(place: Place, value: string): Promise<StepAnswer<{ readonly name: string }>> {
  return await askStep({
    ...place,
    prompt: vscode.l10n.t('Name of the environment variable, such as OPENAI_API_KEY'),
    value,
    whileTyping: true,
    check: nameComplaint,
    accept: async (typed) => ({ name: typed.trim() }),
  });
}

/** What is wrong with a name; undefined: nothing. */
export function nameComplaint(typed: string): string | undefined {
  try {
    checkEnvName(typed.trim());
    return undefined;
  } catch (error) {
    if (error instanceof SpoonError) return failureText(error);
    throw error;
  }
}

/** Nothing of it is shown. An input has one line, so there are ways to give several. @throws vscode.CancellationError */
export async function askValue(place: Place, name: string): Promise<StepAnswer<{ readonly value: Uint8Array }>> {
  const fromFile = {
    iconPath: new vscode.ThemeIcon('file'),
    tooltip: vscode.l10n.t('Take the Value from a File…'),
  };
  const fromClipboard = {
    iconPath: new vscode.ThemeIcon('clippy'),
    tooltip: vscode.l10n.t('Take the Value from the Clipboard, with Its Lines'),
  };
  return await askStep({
    ...place,
    prompt: vscode.l10n.t('Value of {0}. For one of several lines use a button above.', name),
    value: '',
    password: true,
    check: (typed) => (typed === '' ? vscode.l10n.t('The value is empty.') : undefined),
    accept: async (typed) => ({ value: checkSize(new TextEncoder().encode(typed)) }),
    others: [
      { button: fromFile, take: valueOfFile },
      {
        button: fromClipboard,
        take: async () => ({ value: checkSize(new TextEncoder().encode(await vscode.env.clipboard.readText())) }),
      },
    ],
  });
}

async function valueOfFile(): Promise<{ value: Uint8Array } | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Value of a Secret'),
      openLabel: vscode.l10n.t('Take as Value'),
    })) ?? [];
  if (uri === undefined) return undefined;
  const { size } = await vscode.workspace.fs.stat(uri);
  checkLength(size);
  return { value: checkSize(await vscode.workspace.fs.readFile(uri)) };
}

/** @throws SpoonError `secret-invalid`, `body-too-large` */
function checkSize(value: Uint8Array): Uint8Array {
  checkLength(value.length);
  return value;
}

function checkLength(length: number): void {
  if (length === 0) throw new SpoonError('secret-invalid', 'The value is empty.');
  if (length > maxSecretBytes) {
    throw new SpoonError('body-too-large', `A secret may have ${maxSecretBytes / 1024} KiB.`);
  }
}

export interface Appearance {
  readonly scopes: readonly SecretScope[];
  readonly file: boolean;
}

interface PlaceItem extends vscode.QuickPickItem {
  readonly scope?: SecretScope;
}

/** @param file whether it can be a file; a value that is stored already stays what it is @throws vscode.CancellationError */
export async function askAppearance(
  place: Place,
  { name, before, file }: { name: string; before: Appearance; file: boolean },
): Promise<StepAnswer<Appearance>> {
  const items: PlaceItem[] = scopes.map((scope) => ({ ...scopeWords[scope], scope }));
  const asFile: PlaceItem = {
    label: vscode.l10n.t('As a File'),
    detail: vscode.l10n.t('The variable holds the path of a file with the value, in memory and for you alone'),
  };
  if (file) items.push({ label: vscode.l10n.t('How'), kind: vscode.QuickPickItemKind.Separator }, asFile);
  const input = vscode.window.createQuickPick<PlaceItem>();
  try {
    return await new Promise<StepAnswer<Appearance>>((resolve, reject) => {
      Object.assign(input, place);
      input.placeholder = vscode.l10n.t('Where {0} appears', name);
      input.canSelectMany = true;
      input.ignoreFocusOut = true;
      input.items = items;
      input.selectedItems = items.filter(
        (item) => (item === asFile && before.file) || (item.scope !== undefined && before.scopes.includes(item.scope)),
      );
      if (place.step > 1) input.buttons = [vscode.QuickInputButtons.Back];
      input.onDidTriggerButton(() => resolve('back'));
      input.onDidHide(() => reject(new vscode.CancellationError()));
      input.onDidAccept(() => {
        const chosen = input.selectedItems.flatMap(({ scope }) => (scope === undefined ? [] : [scope]));
        if (chosen.length === 0) {
          input.placeholder = vscode.l10n.t('Choose at least one of Shells, Setup and Jobs');
          return;
        }
        resolve({ scopes: chosen, file: input.selectedItems.includes(asFile) });
      });
      input.show();
    });
  } finally {
    input.dispose();
  }
}

interface SpoonItem extends vscode.QuickPickItem {
  readonly spoon: string | null;
}

/** All threads, or those of one spoon. @throws vscode.CancellationError */
export async function askSpoon(
  place: Place,
  { spoons, before }: { spoons: readonly string[]; before: string | null },
): Promise<StepAnswer<{ readonly spoon: string | null }>> {
  const names = [...new Set([...spoons, ...(before === null ? [] : [before])])].sort();
  const items: SpoonItem[] = [
    {
      label: vscode.l10n.t('Everywhere'),
      detail: vscode.l10n.t('In the home and in the threads of every spoon'),
      iconPath: new vscode.ThemeIcon('globe'),
      spoon: null,
    },
    ...names.map((spoon) => ({
      label: spoon,
      detail: vscode.l10n.t('In its threads only, before one of the same name for everywhere'),
      iconPath: new vscode.ThemeIcon('repo'),
      spoon,
    })),
  ];
  const input = vscode.window.createQuickPick<SpoonItem>();
  try {
    return await new Promise<StepAnswer<{ spoon: string | null }>>((resolve, reject) => {
      Object.assign(input, place);
      input.placeholder = vscode.l10n.t('In which threads');
      input.ignoreFocusOut = true;
      input.items = items;
      input.activeItems = items.filter(({ spoon }) => spoon === before);
      input.buttons = [vscode.QuickInputButtons.Back];
      input.onDidTriggerButton(() => resolve('back'));
      input.onDidHide(() => reject(new vscode.CancellationError()));
      input.onDidAccept(() => {
        const [item] = input.selectedItems;
        if (item !== undefined) resolve({ spoon: item.spoon });
      });
      input.show();
    });
  } finally {
    input.dispose();
  }
}
