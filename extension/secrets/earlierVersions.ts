import * as vscode from 'vscode';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import { nameOf } from '../dotfiles/dotfileIndex.ts';
import { inParallel } from '../dotfiles/inParallel.ts';

const atOnce = 4;
/** As many as `forgetDotfileVersions` takes; more than are kept. */
const maxVersions = 100;

/** The earlier versions of a dotfile that have a value in them. Looked for here: the service cannot be asked about a value. */
export async function versionsHolding({ dotfiles }: Connection, path: HomePath, value: string): Promise<number[]> {
  const { versions } = await dotfiles.history(path);
  const holding: number[] = [];
  const candidates = versions.filter(({ current, kind, size }) => !current && kind === 'file' && size >= value.length);
  await inParallel(candidates, atOnce, async ({ version }) => {
    const { bytes } = await dotfiles.readVersion(path, version);
    if (new TextDecoder().decode(bytes).includes(value)) holding.push(version);
  });
  return holding.sort((one, other) => one - other).slice(-maxVersions);
}

/** Asks first: what else was in those versions is gone, too. */
export async function forgetHolders(
  { dotfiles }: Connection,
  { path, name, versions }: { path: HomePath; name: string; versions: readonly number[] },
): Promise<void> {
  const forget = vscode.l10n.t('Forget');
  const question =
    versions.length === 1
      ? vscode.l10n.t('Forget 1 earlier version of {0}?', nameOf(path))
      : vscode.l10n.t('Forget {0} earlier versions of {1}?', versions.length, nameOf(path));
  const detail = vscode.l10n.t(
    'They hold the value of {0}: version {1}. They cannot be brought back; the current version and the others stay. Where the value was copied before, it still is: a new one from whoever gave it to you is safer.',
    name,
    versions.join(', '),
  );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, forget)) !== forget) return;
  await dotfiles.forget(path, versions);
  vscode.window.setStatusBarMessage(vscode.l10n.t('No earlier version of {0} holds the value', nameOf(path)), 5000);
}
