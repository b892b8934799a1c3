import * as vscode from 'vscode';
import { dotfileManagers, isDotfileManager } from '../../protocol/dotfileManagers.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { RepositorySettings } from '../../protocol/repository.ts';
import { checkRef, expandRepositoryAddress } from '../../protocol/repositoryAddress.ts';
import { checkRepositoryUrl } from '../../protocol/repositoryUrl.ts';
import { checkSetupPath } from '../../protocol/setupScript.ts';
import { askStep } from '../auth/inputSteps.ts';
import { failureText } from '../failure.ts';

type Wanted = Pick<RepositorySettings, 'url' | 'ref' | 'setup' | 'manager' | 'always'>;

const totalSteps = 3;

/**
 * Address, ref and setup, each checked as it is typed.
 * @returns undefined when it was not agreed to @throws vscode.CancellationError when the person leaves
 */
export async function askRepository(before: RepositorySettings | null): Promise<Wanted | undefined> {
  let url = before?.url ?? '';
  let ref = before?.ref ?? '';
  for (let step = 1; ; ) {
    if (step === 1) {
      const answer = await askStep({
        ...titled(1),
        prompt: vscode.l10n.t('Address of your dotfiles repository: https://host/path, or owner/repo of GitHub'),
        value: url,
        whileTyping: true,
        check: (typed) => refusal(() => checkRepositoryUrl(expandRepositoryAddress(typed), anyHost(typed))),
        accept: async (typed) => checkRepositoryUrl(expandRepositoryAddress(typed), anyHost(typed)),
      });
      if (answer === 'back') continue;
      url = answer;
      step = 2;
    } else if (step === 2) {
      const answer = await askStep({
        ...titled(2),
        prompt: vscode.l10n.t('Branch, tag or whole commit id. Leave it empty for the default branch.'),
        value: ref,
        whileTyping: true,
        check: (typed) => (typed.trim() === '' ? undefined : refusal(() => checkRef(typed.trim()))),
        accept: async (typed) => ({ ref: typed.trim() }),
      });
      step = answer === 'back' ? 1 : 3;
      if (answer !== 'back') ref = answer.ref;
    } else {
      const setup = await askSetup(before);
      if (setup === 'back') {
        step = 2;
        continue;
      }
      const wanted = { url, ref: ref === '' ? null : ref, ...setup, always: before?.always ?? false };
      return (await isAgreed(wanted)) ? wanted : undefined;
    }
  }
}

function titled(step: number) {
  return { title: vscode.l10n.t('Dotfiles Repository'), step, totalSteps };
}

/** Hosts that only the operator can allow are the service's to judge; what is typed is held to everything else. */
function anyHost(typed: string): string[] {
  const address = expandRepositoryAddress(typed);
  return URL.canParse(address) ? [new URL(address).host] : [];
}

function refusal(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof SpoonError) return failureText(error);
    throw error;
  }
}

interface SetupItem extends vscode.QuickPickItem {
  readonly choice: 'found' | 'script' | 'manager';
  readonly manager?: string;
}

async function askSetup(before: RepositorySettings | null): Promise<Pick<Wanted, 'setup' | 'manager'> | 'back'> {
  const items: SetupItem[] = [
    {
      choice: 'found',
      label: vscode.l10n.t('Its Setup Script'),
      detail: vscode.l10n.t(
        'install.sh, bootstrap, script/setup and the like, the first there is; without one, its dot files are linked',
      ),
    },
    { choice: 'script', label: vscode.l10n.t('Another Script…'), detail: before?.setup ?? '' },
    { choice: 'manager', label: '', kind: vscode.QuickPickItemKind.Separator },
    ...Object.entries(dotfileManagers).map(([name, { title, command }]) => ({
      choice: 'manager' as const,
      manager: name,
      label: title,
      detail: command,
    })),
  ];
  const picked = await pick(items);
  if (picked === 'back') return 'back';
  if (picked.choice === 'found') return { setup: null, manager: null };
  if (picked.choice === 'manager')
    return { setup: null, manager: isDotfileManager(picked.manager) ? picked.manager : null };
  const answer = await askStep({
    ...titled(3),
    prompt: vscode.l10n.t('Path of the script below the repository, such as script/box'),
    value: before?.setup ?? '',
    whileTyping: true,
    check: (typed) => refusal(() => checkSetupPath(typed.trim())),
    accept: async (typed) => ({ setup: typed.trim() }),
  });
  return answer === 'back' ? 'back' : { ...answer, manager: null };
}

async function pick(items: SetupItem[]): Promise<SetupItem | 'back'> {
  const input = vscode.window.createQuickPick<SetupItem>();
  try {
    return await new Promise<SetupItem | 'back'>((resolve, reject) => {
      Object.assign(input, titled(3));
      input.placeholder = vscode.l10n.t('What sets your home up from it');
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
}

async function isAgreed({ url, ref }: Wanted): Promise<boolean> {
  const agree = vscode.l10n.t('Use This Repository');
  const detail = vscode.l10n.t(
    'What its setup does, it does as you in your box: it can read and change every file of your home. Spoon stays with the commit that it fetches now until you take an update.\n\n{0}, {1}',
    url,
    ref ?? vscode.l10n.t('its default branch'),
  );
  const question = vscode.l10n.t('Do you trust this repository?');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, agree)) === agree;
}
