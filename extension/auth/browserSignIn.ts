import * as vscode from 'vscode';
import type { ApiClient } from '../../client/apiClient.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { CreatedToken } from '../../protocol/identity.ts';
import { routes } from '../../protocol/routes.ts';
import { editorRedirect } from '../../protocol/signIn.ts';
import type { AwaitedCodes } from './awaitedCodes.ts';
import { challengeOf, randomText } from './pkce.ts';

/**
 * A token by way of the browser, where the password is typed: VS Code never sees it. On a desktop the browser comes back to
 * this window by itself; a VS Code that is in a browser has no address of its own to come back to, and shows a code.
 * @throws vscode.CancellationError when the person leaves; SpoonError `sign-in-denied`, `sign-in-code-invalid`
 */
export function signInByBrowser(
  api: ApiClient,
  codes: AwaitedCodes,
  signal: AbortSignal,
  kind?: 'admin',
): Promise<CreatedToken> {
  const redirectUri = `${vscode.env.uriScheme}://spoon-dev.spoon/auth`;
  const comesBack = vscode.env.uiKind === vscode.UIKind.Desktop && editorRedirect.test(redirectUri);
  return comesBack ? byRedirect(api, codes, { redirectUri, signal, kind }) : byCode(api, signal, kind);
}

async function byRedirect(
  api: ApiClient,
  codes: AwaitedCodes,
  { redirectUri, signal, kind }: { redirectUri: string; signal: AbortSignal; kind: 'admin' | undefined },
): Promise<CreatedToken> {
  const verifier = randomText();
  const state = randomText();
  const query = new URLSearchParams({
    redirect_uri: redirectUri,
    state,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: 'S256',
    client_name: vscode.env.appName,
    ...(kind === undefined ? {} : { kind }),
  });
  await openOutside(`${api.url}${routes.signInPage.path}?${query}`);
  const code = await codes.wait(state, signal);
  return await api.call('exchangeCode', { body: { code, codeVerifier: verifier, redirectUri }, signal });
}

async function byCode(api: ApiClient, signal: AbortSignal, kind: 'admin' | undefined): Promise<CreatedToken> {
  const body = { clientName: vscode.env.appName, ...(kind === undefined ? {} : { kind }) };
  const { deviceCode, userCode, path, intervalMs } = await api.call('requestDeviceCode', { body, signal });
  const address = `${api.url}${path}`;
  const goOn = vscode.l10n.t('Copy Code and Open Browser');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('Your code is {0}', userCode),
    { modal: true, detail: vscode.l10n.t('Type it at {0}, and sign in there. It works once.', address) },
    goOn,
  );
  if (answer !== goOn) throw new vscode.CancellationError();
  await vscode.env.clipboard.writeText(userCode);
  await openOutside(address);
  for (let pauseMs = intervalMs; ; ) {
    await pause(pauseMs, signal);
    try {
      return await api.call('exchangeDeviceCode', { body: { deviceCode }, signal });
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      if (error.code === 'slow-down') pauseMs += intervalMs;
      else if (error.code !== 'sign-in-pending') throw error;
    }
  }
}

async function openOutside(address: string): Promise<void> {
  // Whether it opened is not known for sure; where it did not, the person still has the question to cancel.
  await vscode.env.openExternal(vscode.Uri.parse(address, true));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}
