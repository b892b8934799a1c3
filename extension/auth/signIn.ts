import * as vscode from 'vscode';
import { ApiClient } from '../../client/apiClient.ts';
import { parseServiceUrl } from '../../client/serviceUrl.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { parseToken } from '../../protocol/tokenFormat.ts';
import { failureText, isCancellation } from '../failure.ts';
import type { Network } from '../network.ts';
import { setting } from '../settings.ts';
import type { AwaitedCodes } from './awaitedCodes.ts';
import { signInByBrowser } from './browserSignIn.ts';
import { askStep, type StepAnswer } from './inputSteps.ts';
import type { Session, Sessions } from './sessions.ts';

/** Sign-in by address, then browser or token. Nothing is stored before the service has said who the token is. */

const defaultAddress = 'http://127.0.0.1:3921';

export interface SignInParts {
  readonly sessions: Sessions;
  readonly network: Network;
  readonly codes: AwaitedCodes;
}

/**
 * Asks for both, one after the other, each checked while the question is open.
 * @throws vscode.CancellationError when the person leaves
 */
export async function signIn(parts: SignInParts, suggestedUrl?: string): Promise<Session> {
  let address = suggestedUrl ?? (setting('service.url') || (await parts.sessions.current())?.url || defaultAddress);
  for (;;) {
    const found = await askStep({
      title: vscode.l10n.t('Sign In to Spoon'),
      step: 1,
      totalSteps: 2,
      prompt: vscode.l10n.t('Address of the service, such as https://spoon.example.org'),
      value: address,
      check: (typed) => complaint(() => parseServiceUrl(typed)),
      accept: (typed, signal) => findService(parts.network, typed, signal),
    });
    if (found === 'back') throw new vscode.CancellationError();
    address = found.url;
    const session = await askToken(parts, found.url);
    if (session === 'back') continue;
    await parts.sessions.store(session);
    return session;
  }
}

/** Signs in with what was handed over, without a question. @throws SpoonError */
export async function signInWith(parts: SignInParts, handed: { url: string; token: string }): Promise<Session> {
  const found = await findService(parts.network, handed.url, new AbortController().signal);
  const session = await identify(parts.network, found.url, handed.token);
  await parts.sessions.store(session);
  return session;
}

async function askToken({ network, codes }: SignInParts, url: string): Promise<StepAnswer<Session>> {
  const { host } = new URL(url);
  return await askStep({
    title: vscode.l10n.t('Sign In to Spoon'),
    step: 2,
    totalSteps: 2,
    prompt: vscode.l10n.t(
      'Press Enter to sign in to {0} with your browser, or paste a token. Either is kept in the secret store of this computer.',
      host,
    ),
    placeholder: vscode.l10n.t('Enter opens the browser; a token starts with spn_u_'),
    emptyButton: { icon: 'globe', tooltip: vscode.l10n.t('Sign In with Your Browser') },
    value: '',
    password: true,
    check: checkToken,
    accept: async (typed, signal) => {
      const api = await clientFor(network, url, undefined);
      if (typed.trim() !== '') return identify(network, url, typed.trim(), signal);
      const { token, info } = await signInByBrowser(api, codes, signal);
      return { ...(await identify(network, url, token, signal)), signedInUntilMs: info.expiresMs };
    },
  });
}

function checkToken(typed: string): string | undefined {
  const text = typed.trim();
  if (text === '') return undefined;
  if (text.startsWith('spn_a_')) {
    return vscode.l10n.t('This is a token for administration. Use one of your own, which starts with spn_u_.');
  }
  if (parseToken(text)?.kind !== 'u') {
    return vscode.l10n.t('This is not a whole token. Copy it again, from spn_u_ to the end.');
  }
  return undefined;
}

async function findService(network: Network, typed: string, signal: AbortSignal): Promise<{ url: string }> {
  const url = parseServiceUrl(typed);
  await (await clientFor(network, url, undefined)).checkCompatible(signal);
  return { url };
}

async function identify(network: Network, url: string, token: string, signal?: AbortSignal): Promise<Session> {
  const api = await clientFor(network, url, token);
  const [{ instanceId }, me] = await Promise.all([api.checkCompatible(signal), api.call('me', { signal })]);
  if (me.user === null) {
    throw new SpoonError('insufficient-scope', 'It belongs to no user. Use a token of your own account.');
  }
  const { id, username, displayName } = me.user;
  return { url, token, instanceId, userId: id, username, displayName };
}

async function clientFor(network: Network, url: string, token: string | undefined): Promise<ApiClient> {
  const { fetch } = await network();
  return new ApiClient({ url, token: () => token, clientId: 'sign-in', fetch });
}

function complaint(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return failureText(error);
  }
}
