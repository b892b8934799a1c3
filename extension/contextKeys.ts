import * as vscode from 'vscode';

/** What menus and welcome texts depend on. Nothing else sets a context key. */
export interface ContextKeys {
  'spoon.ready': boolean;
  'spoon.signedIn': boolean;
  'spoon.connection': 'connected' | 'connecting' | 'offline' | 'incompatible' | 'signedOut';
  'spoon.dotfiles.hasFiles': boolean;
  /** The same as two of the above, but only from when the walkthrough is open: what is true before does not count there. */
  'spoon.step.signedIn': boolean;
  'spoon.step.hasFiles': boolean;
}

export function setContext<K extends keyof ContextKeys>(key: K, value: ContextKeys[K]): void {
  void vscode.commands.executeCommand('setContext', key, value);
}
