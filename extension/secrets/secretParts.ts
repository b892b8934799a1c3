import * as vscode from 'vscode';
import type { SecretCommandId } from '../commandIds.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { Platform } from '../platform.ts';
import type { CommandHandler } from '../registerCommands.ts';
import { importEnv } from './importEnv.ts';
import { SealKeySecrets } from './sealKeySecrets.ts';
import { requireSecrets, SecretCommands, secretNodeOf } from './secretCommands.ts';
import { SecretsTree } from './secretsTree.ts';
import { SecretWriter } from './secretWriter.ts';

interface Surroundings {
  readonly context: vscode.ExtensionContext;
  readonly current: CurrentConnection;
  readonly platform: Platform;
}

/** Everything about secrets in VS Code: the view, the commands, and the only way a value takes out of a window. */
export class SecretParts implements vscode.Disposable {
  readonly tree: SecretsTree;
  readonly commands: Readonly<Record<SecretCommandId, CommandHandler>>;
  readonly #disposable: vscode.Disposable;

  constructor({ context, current, platform }: Surroundings) {
    const writer = new SecretWriter(new SealKeySecrets(context.secrets));
    this.tree = new SecretsTree(current);
    const commands = new SecretCommands({ current, tree: this.tree, writer });
    this.#disposable = vscode.Disposable.from(this.tree);
    const node = (argument: unknown) => secretNodeOf(argument) ?? secretNodeOf(this.tree.selection);
    this.commands = {
      'spoon.secrets.new': () => commands.create(),
      'spoon.secrets.replace': (argument) => commands.replace(secretNodeOf(argument)),
      'spoon.secrets.changeScope': (argument) => commands.changeScope(secretNodeOf(argument)),
      'spoon.secrets.delete': (argument) =>
        commands.delete(argument === 'byKey' ? node(undefined) : secretNodeOf(argument)),
      'spoon.secrets.copyName': (argument) =>
        commands.copyName(argument === 'byKey' ? node(undefined) : secretNodeOf(argument)),
      'spoon.secrets.import': async () => {
        const connection = current.require();
        connection.requireReachable();
        await requireSecrets(connection);
        await importEnv(connection, { writer, parseEnv: platform.parseEnv });
      },
      'spoon.secrets.refresh': () => commands.refresh(),
    };
  }

  dispose(): void {
    this.#disposable.dispose();
  }
}
