import * as vscode from 'vscode';
import type { BoxState } from '../protocol/boxes.ts';
import type { RepositoryMood } from './repository/repositoryText.ts';
import type { SecretsAccess } from './secrets/homeSecrets.ts';

/** What menus and welcome texts depend on. Nothing else sets a context key. */
export interface ContextKeys {
  'spoon.ready': boolean;
  'spoon.signedIn': boolean;
  'spoon.connection': 'connected' | 'connecting' | 'offline' | 'incompatible' | 'signedOut';
  'spoon.repository': 'none' | RepositoryMood;
  /** May sign in as an administrator. */
  'spoon.isAdmin': boolean;
  /** Of the sign-in as an administrator; `failed` while nothing could be heard yet. */
  'spoon.admin': 'signedOut' | 'signedIn' | 'failed';
  'spoon.secrets': SecretsAccess;
  /** The editor has the prompt of a job that is not yet one. */
  'spoon.jobs.writesPrompt': boolean;
  'spoon.box': 'unknown' | BoxState;
  /** The window shows the folder of a thread. */
  'spoon.inThreadFolder': boolean;
  'spoon.dotfiles.hasFiles': boolean;
  'spoon.dotfiles.canPaste': boolean;
  /** All of them are turned off. */
  'spoon.dotfiles.off': boolean;
  /** Paths, with a leading slash as in a URI, of what was changed in the home. */
  'spoon.dotfiles.drifted': readonly string[];
  /** The editor compares an older version with the current one. */
  'spoon.dotfiles.showsVersion': boolean;
  /** The same as two of the above, but only from when the walkthrough is open: what is true before does not count there. */
  'spoon.step.signedIn': boolean;
  'spoon.step.hasFiles': boolean;
}

const known = new Map<string, unknown>();

export function setContext<K extends keyof ContextKeys>(key: K, value: ContextKeys[K]): void {
  // Told with every change of a dotfile; most of the time it is no news.
  if (known.get(key) === value) return;
  known.set(key, value);
  void vscode.commands.executeCommand('setContext', key, value);
}
