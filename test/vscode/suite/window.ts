import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { ApiClient } from '../../../client/apiClient.ts';
import { DotfilesApi } from '../../../client/dotfilesApi.ts';
import { accountOf, dotfileUri } from '../../../extension/dotfiles/dotfileUri.ts';
import type { TestView } from '../../../extension/extension.ts';

/** The extension in this host, and the real service that the runner has started. */

export const service = { url: required('SPOON_TEST_URL'), token: required('SPOON_TEST_TOKEN') };

export async function activate(): Promise<TestView> {
  const extension = vscode.extensions.getExtension<TestView>('spoon-dev.spoon');
  assert.ok(extension, 'the extension is installed');
  return await extension.activate();
}

/** Signed in to the real service and connected, with no dotfiles. */
export async function signedIn(): Promise<TestView> {
  const view = await activate();
  await view.current.ready;
  if (view.current.connection?.session.url !== new URL(service.url).origin) await view.signInWith(service);
  await until('connected', () => view.current.state.name === 'connected');
  const { dotfiles } = view.current.require();
  await dotfiles.refresh();
  const other = anotherWindow();
  for (const { path } of dotfiles.children('')) await other.remove(path, { recursive: true });
  await until('an empty home', () => dotfiles.count === 0);
  return view;
}

/** What somebody else does: the same account from another window, without this one's knowledge. */
export function anotherWindow(): DotfilesApi {
  return new DotfilesApi(
    new ApiClient({
      ...service,
      token: () => service.token,
      clientId: 'another-window',
      fetch: (url, init) => fetch(url, init),
    }),
  );
}

export function uriOf(view: TestView, path: string): vscode.Uri {
  return dotfileUri(accountOf(view.current.require().session), path);
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Waits for a condition. @throws Error naming it */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function closeAllEditors(): Promise<void> {
  while (vscode.window.activeTextEditor !== undefined) {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  }
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: this suite is run by test/vscode/extensionHost.alone.test.ts`);
  return value;
}
