import * as vscode from 'vscode';
import type { HomePath } from '../../protocol/homePath.ts';
import { askStep } from '../auth/inputSteps.ts';
import type { Connection } from '../connection/connection.ts';
import { nameOf } from '../dotfiles/dotfileIndex.ts';
import { askName } from './secretQuestions.ts';
import type { Replacement, Syntax } from './secretReference.ts';

export interface ReplacementAnswer {
  readonly name: string;
  /** False: the secret of this name stays as it is. */
  readonly isNew: boolean;
  readonly by: Replacement;
}

interface Wanted {
  readonly path: HomePath;
  readonly syntax: Syntax;
  readonly suggestedName: string;
}

/** Under which name, and what stands in the file instead. Undefined, or vscode.CancellationError, when it is left. */
export async function askReplacement(connection: Connection, wanted: Wanted): Promise<ReplacementAnswer | undefined> {
  const { syntax, path, suggestedName } = wanted;
  const title = vscode.l10n.t('Move to Secrets from {0}', nameOf(path));
  const totalSteps = syntax === 'other' ? 2 : 1;
  let name = suggestedName;
  for (;;) {
    const answer = await askName({ title, step: 1, totalSteps }, name);
    if (answer === 'back') continue;
    name = answer.name;
    const isNew = connection.secrets.find(name, null) === undefined;
    if (!isNew && !(await isKept(name))) continue;
    if (syntax !== 'other') return { name, isNew, by: { name } };
    const text = await askText({ title, step: 2, totalSteps }, name);
    if (text !== 'back') return { name, isNew, by: text };
  }
}

/** @returns false for another name */
async function isKept(name: string): Promise<boolean> {
  const keep = vscode.l10n.t('Refer to It');
  const another = vscode.l10n.t('Another Name…');
  const question = vscode.l10n.t('There is a secret {0} already.', name);
  const detail = vscode.l10n.t(
    'The file can refer to it. Its value stays, and the one in the file is gone with the old versions of the file. Spoon cannot tell whether the two are the same.',
  );
  const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, keep, another);
  if (answer === undefined) throw new vscode.CancellationError();
  return answer === keep;
}

interface TextItem extends vscode.QuickPickItem {
  readonly text?: string;
}

/** For a file whose program may or may not put variables in. */
async function askText(
  place: { title: string; step: number; totalSteps: number },
  name: string,
): Promise<{ readonly text: string } | 'back'> {
  const items: TextItem[] = [
    { label: `\${${name}}`, description: vscode.l10n.t('where the program puts in variables'), text: `\${${name}}` },
    { label: `$${name}`, description: vscode.l10n.t('where the program puts in variables'), text: `$${name}` },
    {
      label: vscode.l10n.t('Nothing'),
      description: vscode.l10n.t('where the program looks for a variable itself'),
      text: '',
    },
    { label: vscode.l10n.t('Another Text…') },
  ];
  const input = vscode.window.createQuickPick<TextItem>();
  let picked: TextItem | 'back';
  try {
    picked = await new Promise<TextItem | 'back'>((resolve, reject) => {
      Object.assign(input, place);
      input.placeholder = vscode.l10n.t(
        'Spoon does not know how this kind of file refers to a variable. What stands there instead?',
      );
      input.ignoreFocusOut = true;
      input.items = items;
      input.buttons = [vscode.QuickInputButtons.Back];
      input.onDidTriggerButton(() => resolve('back'));
      input.onDidHide(() => reject(new vscode.CancellationError()));
      input.onDidAccept(() => {
        const [item] = input.selectedItems;
        if (item !== undefined) resolve(item);
      });
      input.show();
    });
  } finally {
    input.dispose();
  }
  if (picked === 'back') return 'back';
  if (picked.text !== undefined) return { text: picked.text };
  return await askStep({
    ...place,
    prompt: vscode.l10n.t('What stands in the file instead of the value'),
    value: `\${${name}}`,
    check: () => undefined,
    accept: async (typed) => ({ text: typed }),
  });
}
