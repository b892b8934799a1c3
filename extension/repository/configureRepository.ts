import * as vscode from 'vscode';
import { dotfileManagers, isDotfileManager } from '../../protocol/dotfileManagers.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type {
  RepositoryPreview,
  RepositorySettings,
  RepositoryState,
  SetRepositoryRequest,
} from '../../protocol/repository.ts';
import { checkRef, expandRepositoryAddress } from '../../protocol/repositoryAddress.ts';
import {
  credentialHost,
  credentialUse,
  type SetRepositoryCredentialRequest,
} from '../../protocol/repositoryCredential.ts';
import { checkSetupPath } from '../../protocol/setupScript.ts';
import { checkDotfilesAddress } from '../../protocol/sshAddress.ts';
import { askStep } from '../auth/inputSteps.ts';
import type { Connection } from '../connection/connection.ts';
import { asPlainText, failureText } from '../failure.ts';
import type { SecretWriter } from '../secrets/secretWriter.ts';
import { type Access, askAccess, refusalOf } from './askAccess.ts';
import { type Place, pickStep } from './pickStep.ts';
import { lookAhead } from './repositoryHistory.ts';

const totalSteps = 4;

/**
 * Address, access, ref and setup, each checked as it is typed; then a look at the repository, whose commit is agreed to.
 * @returns undefined when it was not agreed to
 * @throws vscode.CancellationError when the person leaves; SpoonError
 */
export async function configureRepository(
  connection: Connection,
  writer: SecretWriter,
): Promise<RepositoryState | undefined> {
  const { settings, credential } = connection.repository.state ?? { settings: null, credential: undefined };
  let url = settings?.url ?? '';
  let ref = settings?.ref ?? '';
  let access: Access = { kind: 'same' };
  for (let step = 1; step <= totalSteps; ) {
    const place = placeOf(step);
    if (step === 1) {
      const answer = await askAddress(place, url);
      if (answer !== 'back') url = answer;
      step = 2;
    } else if (step === 2) {
      const answer = await askAccess(place, url, credential);
      if (answer !== 'back') access = answer;
      step = answer === 'back' ? 1 : 3;
    } else if (step === 3) {
      const answer = await askRef(place, ref);
      if (answer !== 'back') ref = answer.ref;
      step = answer === 'back' ? 2 : 4;
    } else {
      const setup = await askSetup(place, settings);
      if (setup === 'back') {
        step = 3;
        continue;
      }
      const { submodules, lfs } = settings?.url === url ? settings : {};
      const extras = { ...(submodules && { submodules }), ...(lfs && { lfs }) };
      const always = settings?.always ?? false;
      const wanted = { url, ref: ref === '' ? null : ref, ...setup, always, ...extras };
      const credential = await offeredCredential(connection, writer, url, access);
      return await agreeTo(connection, credential === undefined ? wanted : { ...wanted, credential });
    }
  }
  return undefined;
}

/** Asks for the token or key of the repository that is chosen. @throws as {@link configureRepository} */
export async function changeAccess(connection: Connection, writer: SecretWriter): Promise<RepositoryState | undefined> {
  const { settings, credential } = connection.repository.state ?? { settings: null, credential: undefined };
  if (settings === null) throw new SpoonError('repository-none', 'Choose one first.');
  const place = { title: vscode.l10n.t('Access to Your Dotfiles Repository'), step: 1, totalSteps: 1 };
  const access = await askAccess(place, settings.url, credential);
  if (access === 'back') return undefined;
  const body = await offeredCredential(connection, writer, settings.url, access);
  if (body === undefined) return undefined;
  const { api } = connection;
  return body === null ? api.call('removeRepositoryCredential') : api.call('setRepositoryCredential', { body });
}

/** Sealed, and not handed over yet. Null: what is stored is to be forgotten; undefined: it stays as it is. */
async function offeredCredential(
  connection: Connection,
  writer: SecretWriter,
  url: string,
  access: Access,
): Promise<SetRepositoryCredentialRequest | null | undefined> {
  const host = credentialHost(url);
  if (!('value' in access)) {
    const isStored = access.kind === 'public' && connection.repository.state?.credential?.host === host;
    return isStored ? null : undefined;
  }
  const { kind, value, hostKeys } = access;
  const sealed = await writer.seal(connection, credentialUse(kind, host), value);
  return { kind, host, sealed, hostKeys: [...hostKeys] };
}

function placeOf(step: number): Place {
  return { title: vscode.l10n.t('Dotfiles Repository'), step, totalSteps };
}

async function askAddress(place: Place, value: string) {
  const check = (typed: string) => checkDotfilesAddress(expandRepositoryAddress(typed), anyHost(typed));
  return askStep({
    ...place,
    prompt: vscode.l10n.t(
      'Address of your dotfiles repository: https://host/path, owner/repo of GitHub, or git@host:path',
    ),
    value,
    whileTyping: true,
    check: (typed) => refusalOf(() => check(typed)),
    accept: async (typed) => check(typed),
  });
}

/** Hosts that only the operator can allow are the service's to judge; what is typed is held to everything else. */
function anyHost(typed: string): string[] {
  const address = expandRepositoryAddress(typed);
  if (!URL.canParse(address)) return [];
  const { host, hostname, port } = new URL(address);
  return [host, `${hostname}:${port || '22'}`];
}

async function askRef(place: Place, value: string) {
  return askStep({
    ...place,
    prompt: vscode.l10n.t('Branch, tag or whole commit id. Leave it empty for the default branch.'),
    value,
    whileTyping: true,
    check: (typed) => (typed.trim() === '' ? undefined : refusalOf(() => checkRef(typed.trim()))),
    accept: async (typed) => ({ ref: typed.trim() }),
  });
}

interface SetupItem extends vscode.QuickPickItem {
  readonly choice: 'found' | 'script' | 'manager';
  readonly manager?: string;
}

async function askSetup(
  place: Place,
  before: RepositorySettings | null,
): Promise<Pick<RepositorySettings, 'setup' | 'manager'> | 'back'> {
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
  const picked = await pickStep(place, vscode.l10n.t('What sets your home up from it'), items);
  if (picked === 'back') return 'back';
  if (picked.choice === 'found') return { setup: null, manager: null };
  if (picked.choice === 'manager')
    return { setup: null, manager: isDotfileManager(picked.manager) ? picked.manager : null };
  const answer = await askStep({
    ...place,
    prompt: vscode.l10n.t('Path of the script below the repository, such as script/box'),
    value: before?.setup ?? '',
    whileTyping: true,
    check: (typed) => refusalOf(() => checkSetupPath(typed.trim())),
    accept: async (typed) => ({ setup: typed.trim() }),
  });
  return answer === 'back' ? 'back' : { ...answer, manager: null };
}

/** Names the commit and what would run. One that cannot be looked at now may still be chosen: its run says the same. */
async function agreeTo(connection: Connection, wanted: SetRepositoryRequest): Promise<RepositoryState | undefined> {
  const found = await lookAhead(connection, { settings: wanted }).catch((error: unknown) => {
    if (error instanceof SpoonError) return error;
    throw error;
  });
  const agree = vscode.l10n.t('Use This Repository');
  const question = vscode.l10n.t('Do you trust this repository?');
  const detail = [
    vscode.l10n.t(
      'What its setup does, it does as you in your box: it can read and change every file of your home. Spoon stays with this commit until you take an update.',
    ),
    `${wanted.url}, ${wanted.ref ?? vscode.l10n.t('its default branch')}`,
    found instanceof SpoonError
      ? vscode.l10n.t('It could not be looked at now. {0}', failureText(found))
      : vscode.l10n.t('Commit {0}', found.commit),
    ...(found instanceof SpoonError ? [] : [setupWords(found)]),
  ];
  const answer = await vscode.window.showWarningMessage(
    question,
    { modal: true, detail: detail.map(asPlainText).join('\n\n') },
    agree,
  );
  if (answer !== agree) return undefined;
  const commit = found instanceof SpoonError ? {} : { commit: found.commit };
  return connection.api.call('setRepository', { body: { ...wanted, ...commit, enabled: true } });
}

function setupWords({ setup }: RepositoryPreview): string {
  switch (setup.kind) {
    case 'script':
      return vscode.l10n.t('It runs {0}.', setup.path);
    case 'manager':
      return vscode.l10n.t('It runs {0}', dotfileManagers[setup.manager].command);
    case 'offered':
      return vscode.l10n.t(
        'Nothing runs: it looks like {0}, whose command is offered.',
        dotfileManagers[setup.manager].title,
      );
    case 'links':
      return vscode.l10n.t('Nothing runs: its dot entries are linked into your home.');
    case 'problem':
      return setup.detail;
  }
}
