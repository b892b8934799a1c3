import * as vscode from 'vscode';
import type { StepAnswer } from '../auth/inputSteps.ts';

/** Where in a row of questions one stands. */
export interface Place {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
}

/** A choice of one, with a way back. @throws vscode.CancellationError when the person leaves */
export async function pickStep<T extends vscode.QuickPickItem>(
  place: Place,
  placeholder: string,
  items: readonly T[],
): Promise<StepAnswer<T>> {
  const input = vscode.window.createQuickPick<T>();
  try {
    return await new Promise<StepAnswer<T>>((resolve, reject) => {
      Object.assign(input, place);
      input.placeholder = placeholder;
      input.ignoreFocusOut = true;
      input.items = items;
      if (place.step > 1) input.buttons = [vscode.QuickInputButtons.Back];
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
}
