import * as vscode from 'vscode';

/** The settings with their types; defaults and scopes stand in the manifest. */
interface Settings {
  'service.url': string;
  'service.requestTimeout': number;
  'tls.caFile': string;
  'terminal.restore': 'always' | 'never';
  'terminal.location': 'panel' | 'editor';
  'terminal.keepOpenOnExit': 'never' | 'onError' | 'always';
  'thread.openIn': 'newWindow' | 'addToWorkspace';
  'jobs.notify': 'all' | 'failures' | 'none';
  'dotfiles.confirmDrop': 'always' | 'overwrite' | 'never';
  'dotfiles.exclude': string[];
}

export function setting<K extends keyof Settings>(key: K): Settings[K] {
  const configuration = vscode.workspace.getConfiguration('spoon');
  const inspected = configuration.inspect<Settings[K]>(key);
  const value = configuration.get<Settings[K]>(key);
  // A value of the wrong type in settings.json arrives as it stands there.
  const expected = inspected?.defaultValue;
  if (value === undefined || typeof value !== typeof expected || Array.isArray(value) !== Array.isArray(expected)) {
    return expected as Settings[K];
  }
  return value;
}

/** Milliseconds, 1 s to 10 min. */
export function requestTimeoutMs(): number {
  return Math.min(600, Math.max(1, setting('service.requestTimeout'))) * 1000;
}
