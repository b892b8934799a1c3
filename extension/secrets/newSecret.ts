import * as vscode from 'vscode';
import type { Connection } from '../connection/connection.ts';
import { type Appearance, askAppearance, askName, askSpoon, askValue, type Place } from './secretQuestions.ts';
import type { SecretToStore } from './secretWriter.ts';

/** *New Secret…*, with a way back from every question. @throws vscode.CancellationError when it is left */
export async function askNewSecret({ threads }: Connection): Promise<SecretToStore> {
  const spoons = threads.spoons.map(({ name }) => name);
  const place = (step: number): Place => ({
    title: vscode.l10n.t('New Secret'),
    step,
    totalSteps: spoons.length > 0 ? 4 : 3,
  });
  let name = '';
  let value: Uint8Array = new Uint8Array();
  let appearance: Appearance = { scopes: ['shells'], file: false };
  for (let step = 1; ; ) {
    if (step === 1) {
      const answer = await askName(place(1), name);
      if (answer === 'back') continue;
      name = answer.name;
      step = 2;
    } else if (step === 2) {
      const answer = await askValue(place(2), name);
      step = answer === 'back' ? 1 : 3;
      if (answer !== 'back') value = answer.value;
    } else if (step === 3) {
      const answer = await askAppearance(place(3), { name, before: appearance, file: true });
      step = answer === 'back' ? 2 : 4;
      if (answer !== 'back') appearance = answer;
    } else {
      const answer = spoons.length === 0 ? { spoon: null } : await askSpoon(place(4), { spoons, before: null });
      if (answer !== 'back') return { name, value, ...appearance, spoon: answer.spoon };
      step = 3;
    }
  }
}
