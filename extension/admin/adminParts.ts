import * as vscode from 'vscode';
import type { AwaitedCodes } from '../auth/awaitedCodes.ts';
import type { AdminCommandId } from '../commandIds.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { Log } from '../outputLog.ts';
import type { CommandHandler } from '../registerCommands.ts';
import { AdminCommands } from './adminCommands.ts';
import { AdminService } from './adminService.ts';
import type { AdminTokens } from './adminTokens.ts';
import { ServiceTree } from './serviceTree.ts';

/** Everything for administrators in VS Code: the Service view, its sign-in and its commands. */
export class AdminParts implements vscode.Disposable {
  readonly commands: Readonly<Record<AdminCommandId, CommandHandler>>;
  readonly #disposable: vscode.Disposable;

  constructor({
    current,
    tokens,
    codes,
    log,
  }: {
    current: CurrentConnection;
    tokens: AdminTokens;
    codes: AwaitedCodes;
    log: Log;
  }) {
    const service = new AdminService({ current, tokens, log });
    const tree = new ServiceTree(current, service);
    const commands = new AdminCommands({ current, service, tree, codes });
    this.#disposable = vscode.Disposable.from(tokens, service, tree);
    this.commands = {
      'spoon.admin.signIn': () => commands.signIn(),
      'spoon.admin.signOut': () => commands.signOut(),
      'spoon.admin.refresh': () => commands.refresh(),
      'spoon.admin.stopBox': (node) => commands.stopBox(node),
      'spoon.admin.disableUser': (node) => commands.disableUser(node),
      'spoon.admin.enableUser': (node) => commands.enableUser(node),
      'spoon.admin.inviteUser': (node) => commands.inviteUser(node),
      'spoon.admin.revokeTokens': (node) => commands.revokeTokens(node),
    };
  }

  dispose(): void {
    this.#disposable.dispose();
  }
}
