import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import { knownHostKeys } from '../../protocol/knownHostKeys.ts';
import {
  checkDeployKey,
  checkToken,
  credentialHost,
  kindFor,
  type RepositoryCredential,
  readHostKeys,
} from '../../protocol/repositoryCredential.ts';
import { askStep, type StepAnswer } from '../auth/inputSteps.ts';
import { failureText } from '../failure.ts';
import { type Place, pickStep } from './pickStep.ts';

/** Who the server of a repository lets in. `same`: what is stored for it stays. */
export type Access =
  | { readonly kind: 'public' | 'same' }
  | { readonly kind: 'token' | 'key'; readonly value: Uint8Array; readonly hostKeys: readonly string[] };

interface AccessItem extends vscode.QuickPickItem {
  readonly access: Access['kind'];
}

/** @param before what is stored, of whichever host @throws vscode.CancellationError */
export async function askAccess(
  place: Place,
  url: string,
  before: RepositoryCredential | undefined,
): Promise<StepAnswer<Access>> {
  const [host, kind] = [credentialHost(url), kindFor(url)];
  const isKnown = before?.host === host && before.kind === kind;
  const items: AccessItem[] = [
    ...(isKnown ? [{ access: 'same' as const, label: keptLabel(kind), detail: host }] : []),
    ...(kind === 'token'
      ? [
          { access: 'public' as const, label: vscode.l10n.t('Public') },
          {
            access: 'token' as const,
            label: vscode.l10n.t('Private, with a Token…'),
            detail: vscode.l10n.t(
              'One that may read this repository is enough. It is sealed on this computer for {0}.',
              host,
            ),
          },
        ]
      : [
          {
            access: 'key' as const,
            label: vscode.l10n.t('With a Deploy Key…'),
            detail: vscode.l10n.t(
              'Its private part, without a passphrase. It is sealed on this computer for {0}.',
              host,
            ),
          },
        ]),
  ];
  for (;;) {
    const picked = await pickStep(place, vscode.l10n.t('Who may read it'), items);
    if (picked === 'back') return 'back';
    if (picked.access === 'public' || picked.access === 'same') return { kind: picked.access };
    const answer = picked.access === 'token' ? await askToken(place, host) : await askKey(place, host);
    if (answer !== 'back') return answer;
  }
}

function keptLabel(kind: RepositoryCredential['kind']): string {
  return kind === 'token' ? vscode.l10n.t('With the Token You Gave') : vscode.l10n.t('With the Deploy Key You Gave');
}

/** Nothing of it is shown. */
async function askToken(place: Place, host: string): Promise<StepAnswer<Access>> {
  return askStep<Access>({
    ...place,
    prompt: vscode.l10n.t('Token for {0}', host),
    value: '',
    password: true,
    check: (typed) => refusalOf(() => checkToken(typed.trim())),
    accept: async (typed) => ({ kind: 'token', value: new TextEncoder().encode(typed.trim()), hostKeys: [] }),
  });
}

/** An input has one line, and a key several: it comes from a file. */
async function askKey(place: Place, host: string): Promise<StepAnswer<Access>> {
  const openLabel = vscode.l10n.t('Use as Deploy Key');
  const [uri] = (await vscode.window.showOpenDialog({ openLabel, title: openLabel })) ?? [];
  if (uri === undefined) return 'back';
  const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  const refused = refusalOf(() => checkDeployKey(text));
  if (refused !== undefined) {
    await vscode.window.showErrorMessage(refused, { modal: true });
    return 'back';
  }
  const value = new TextEncoder().encode(checkDeployKey(text));
  if (knownHostKeys[host] !== undefined) return { kind: 'key', value, hostKeys: [] };
  return askStep<Access>({
    ...place,
    prompt: vscode.l10n.t(
      'The host key of {0}, as ssh-keyscan prints it. Compare it with what the host publishes.',
      host,
    ),
    value: '',
    check: (typed) =>
      typed.trim() === '' ? vscode.l10n.t('The host key is empty.') : refusalOf(() => readHostKeys(typed)),
    accept: async (typed) => ({ kind: 'key', value, hostKeys: readHostKeys(typed) }),
  });
}

/** What is wrong, for a person; undefined: nothing. */
export function refusalOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof SpoonError) return failureText(error);
    throw error;
  }
}
