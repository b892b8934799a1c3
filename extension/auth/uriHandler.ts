import * as vscode from 'vscode';
import type { Log } from '../outputLog.ts';
import type { AwaitedCodes } from './awaitedCodes.ts';
import { routeUri } from './uriRoutes.ts';

/** Answers `vscode://spoon-dev.spoon/…` links by the rules of `uriRoutes.ts`. */
export function registerUriHandler(
  signInTo: (url: string) => Promise<unknown>,
  codes: AwaitedCodes,
  log: Log,
): vscode.Disposable {
  return vscode.window.registerUriHandler({
    async handleUri(uri) {
      const route = routeUri(uri, (state) => codes.has(state));
      if (route.kind === 'code') return codes.finish(route.state, route.code);
      if (route.kind === 'refused') {
        // Without its query: that is where a credential would be.
        log.warn(`link ${uri.path} refused: ${route.why}`);
        void vscode.window.showWarningMessage(route.why);
        return;
      }
      const goOn = vscode.l10n.t('Sign In');
      const { host } = new URL(route.url);
      const answer = await vscode.window.showInformationMessage(
        vscode.l10n.t('Sign in to Spoon at {0}?', host),
        {
          modal: true,
          detail: vscode.l10n.t('A link asks for this. Your token goes to this address: go on only if you know it.'),
        },
        goOn,
      );
      if (answer === goOn) await signInTo(route.url);
    },
  });
}
