import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import { failureText, isCancellation } from '../failure.ts';

export interface Step<T> {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly prompt: string;
  readonly value: string;
  readonly password?: boolean;
  readonly placeholder?: string;
  /** A button for accepting nothing at all. */
  readonly emptyButton?: { readonly icon: string; readonly tooltip: string };
  /** Say what is wrong with it before the person is done. */
  readonly whileTyping?: boolean;
  /** Of what is typed so far: what is wrong with it, or undefined. */
  readonly check: (typed: string) => string | undefined;
  /** Other ways to answer. What they throw is shown below the input; undefined leaves it open. */
  readonly others?: readonly { readonly button: vscode.QuickInputButton; take(): Promise<T | undefined> }[];
  /** When the person is done; what it throws is shown below the input, which stays open. */
  readonly accept: (typed: string, signal: AbortSignal) => Promise<T>;
}

export type StepAnswer<T> = T | 'back';

/** One question of several, with a way back. @throws vscode.CancellationError when the person leaves */
export async function askStep<T>(step: Step<T>): Promise<StepAnswer<T>> {
  const input = vscode.window.createInputBox();
  const ended = new AbortController();
  try {
    return await new Promise<StepAnswer<T>>((resolve, reject) => {
      input.title = step.title;
      input.step = step.step;
      input.totalSteps = step.totalSteps;
      input.prompt = step.prompt;
      input.value = step.value;
      input.password = step.password ?? false;
      // A token is fetched from somewhere else; the question must still be there afterwards.
      input.ignoreFocusOut = true;
      const others = step.others ?? [];
      input.buttons = [
        ...(step.step > 1 ? [vscode.QuickInputButtons.Back] : []),
        ...others.map(({ button }) => button),
      ];
      // A dialog for files takes the place of the question, which comes back after it.
      let isAside = false;
      input.onDidTriggerButton(async (pressed) => {
        const other = others.find(({ button }) => button === pressed);
        if (other === undefined) return resolve('back');
        isAside = true;
        try {
          const taken = await other.take();
          if (taken !== undefined) return resolve(taken);
        } catch (error) {
          if (error instanceof SpoonError) input.validationMessage = failureText(error);
          else return reject(error);
        }
        isAside = false;
        input.show();
      });
      input.onDidChangeValue(() => {
        const isWanted = step.whileTyping === true && input.value !== '';
        input.validationMessage = isWanted ? step.check(input.value) : undefined;
      });
      input.onDidHide(() => {
        if (!isAside) reject(new vscode.CancellationError());
      });
      input.onDidAccept(() => accept(input.value));
      const accept = async (typed: string): Promise<void> => {
        input.validationMessage = step.check(typed);
        if (input.validationMessage !== undefined || input.busy) return;
        input.busy = true;
        try {
          resolve(await step.accept(typed, ended.signal));
        } catch (error) {
          if (error instanceof SpoonError) input.validationMessage = failureText(error);
          else if (!isCancellation(error)) reject(error);
        } finally {
          input.busy = false;
        }
      };
      input.show();
    });
  } finally {
    ended.abort();
    input.dispose();
  }
}
