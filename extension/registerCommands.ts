import * as vscode from 'vscode';
import { type CommandId, commandIds } from './commandIds.ts';
import { describeFailure, type Remedy } from './failure.ts';
import type { Log } from './outputLog.ts';

/** The one place where commands are registered, and where an error becomes a message. */

export type CommandHandler = (...args: unknown[]) => unknown;
/** A command that is missing here does not compile. */
export type CommandHandlers = Readonly<Record<CommandId, CommandHandler>>;

export function registerCommands(handlers: CommandHandlers, log: Log): vscode.Disposable {
  const registrations = commandIds.map((id) =>
    vscode.commands.registerCommand(id, (...args: unknown[]) => runGuarded(() => handlers[id](...args), id, log)),
  );
  return vscode.Disposable.from(...registrations);
}

/** Runs what a person asked for; a failure is logged and shown once, with what can be done about it. */
export async function runGuarded<T>(work: () => T | Promise<T>, what: string, log: Log): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const failure = describeFailure(error);
    if (failure === undefined) return undefined;
    log.error(`${what}:`, error instanceof Error ? (error.stack ?? error.message) : String(error));
    // Not awaited: the command is over, whether the message is answered or not.
    void vscode.window.showErrorMessage(failure.message, ...failure.remedies).then((remedy) => {
      if (remedy === 'Retry') return runGuarded(work, what, log);
      if (remedy !== undefined) return vscode.commands.executeCommand(remedyCommands[remedy]);
      return undefined;
    });
    return undefined;
  }
}

const remedyCommands: Readonly<Record<Exclude<Remedy, 'Retry'>, string>> = {
  'Sign In': 'spoon.signIn' satisfies CommandId,
  'Show Log': 'spoon.showLog' satisfies CommandId,
  'Open Safe Terminal': 'spoon.openSafeTerminal' satisfies CommandId,
  'Check for Updates': 'workbench.extensions.action.checkForUpdates',
};
