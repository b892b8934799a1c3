import * as vscode from 'vscode';
import { findSecrets, type SecretFinding } from '../../protocol/secretRules.ts';
import type { Connection } from '../connection/connection.ts';
import type { Log } from '../outputLog.ts';
import { runGuarded } from '../registerCommands.ts';
import { takeable } from '../secrets/secretReference.ts';
import { nameOf } from './dotfileIndex.ts';
import { accountOf, dotfileUri } from './dotfileUri.ts';
import { inParallel } from './inParallel.ts';

export interface Suspect {
  readonly path: string;
  readonly first: SecretFinding;
  /** Something in it can be a secret that the file refers to. */
  readonly isTakeable: boolean;
}

const atOnce = 4;

/** What in a file looks like a secret, if anything does. Never leaves this machine by itself. */
export function suspectIn(path: string, bytes: Uint8Array): Suspect | undefined {
  const findings = findSecrets(path, bytes);
  const [first] = findings;
  if (first === undefined) return undefined;
  const text = new TextDecoder().decode(bytes);
  return { path, first, isTakeable: findings.some((finding) => takeable(path, text, finding) !== undefined) };
}

/**
 * One calm hint about what looks like a key or password in files that were just stored. Nothing is held back. It is given
 * once per file and kind in a window, and never again for a file whose owner has said that it is fine.
 */
export class SecretNudge {
  readonly #log: Log;
  readonly #told = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  tell(connection: Connection, suspects: readonly (Suspect | undefined)[]): void {
    const news = suspects
      .filter((suspect) => suspect !== undefined)
      .filter(({ path, first: { rule } }) => {
        if (connection.dotfiles.entry(path)?.dotfile?.secretsSilenced === true) return false;
        return !this.#told.has(`${accountOf(connection.session)}/${rule}/${path}`);
      });
    const [first] = news;
    if (first === undefined) return;
    for (const { path, first: finding } of news) {
      this.#told.add(`${accountOf(connection.session)}/${finding.rule}/${path}`);
    }
    void runGuarded(() => this.#ask(connection, news, first), 'hint about a secret', this.#log);
  }

  async #ask(connection: Connection, suspects: readonly Suspect[], first: Suspect): Promise<void> {
    const move = vscode.l10n.t('Move to Secrets…');
    const show = vscode.l10n.t('Show It');
    const silence = suspects.length === 1 ? vscode.l10n.t('Fine for This File') : vscode.l10n.t('Fine for These Files');
    const names = suspects.slice(0, 5).map(({ path }) => nameOf(path));
    const more = suspects.length - names.length;
    const what =
      suspects.length === 1
        ? vscode.l10n.t(
            '{0} looks as if it holds {1} (line {2}).',
            nameOf(first.path),
            first.first.what,
            first.first.line,
          )
        : vscode.l10n.t(
            '{0} files look as if they hold keys or passwords: {1}.',
            suspects.length,
            [...names, ...(more > 0 ? [vscode.l10n.t('{0} more', more)] : [])].join(', '),
          );
    const fine = vscode.l10n.t('It is stored encrypted, but whatever runs in your box can read it.');
    // A key that is a file of its own has nowhere to be referred to from, and of several files one is moved after the other.
    const canMove = suspects.length === 1 && first.isTakeable && connection.secrets.access === 'listed';
    const answer = await vscode.window.showWarningMessage(`${what} ${fine}`, ...(canMove ? [move] : []), show, silence);
    if (answer === move) await vscode.commands.executeCommand('spoon.secrets.move', { path: first.path });
    if (answer === show) await reveal(connection, first);
    if (answer === silence) await inParallel(suspects, atOnce, ({ path }) => connection.dotfiles.silence(path));
  }
}

async function reveal({ session }: Connection, { path, first: { line } }: Suspect): Promise<void> {
  const uri = dotfileUri(accountOf(session), path);
  const selection = new vscode.Range(line - 1, 0, line - 1, 0);
  await vscode.window.showTextDocument(uri, { selection });
}
