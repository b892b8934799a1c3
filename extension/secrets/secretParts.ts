import * as vscode from 'vscode';
import type { SecretCommandId } from '../commandIds.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { Log } from '../outputLog.ts';
import type { Platform } from '../platform.ts';
import type { CommandHandler } from '../registerCommands.ts';
import { importEnv } from './importEnv.ts';
import { dotfileOf, moveToSecrets } from './moveToSecrets.ts';
import { SecretCommands, secretNodeOf } from './secretCommands.ts';
import { SecretsTree } from './secretsTree.ts';
import type { SecretWriter } from './secretWriter.ts';

interface Surroundings {
  readonly current: CurrentConnection;
  readonly platform: Platform;
  readonly log: Log;
  readonly writer: SecretWriter;
}

/** Everything about secrets in VS Code: the view, the commands, and the only way a value takes out of a window. */
export class SecretParts implements vscode.Disposable {
  readonly tree: SecretsTree;
  readonly commands: Readonly<Record<SecretCommandId, CommandHandler>>;
  readonly #disposable: vscode.Disposable;

  constructor({ current, platform, log, writer }: Surroundings) {
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
      'spoon.secrets.import': async () => importEnv(await commands.listed(), { writer, parseEnv: platform.parseEnv }),
      'spoon.secrets.move': async (argument) => {
        const path = dotfileOf(argument);
        if (path !== undefined) await moveToSecrets(await commands.listed(), path, { writer, log });
      },
      'spoon.secrets.refresh': () => commands.refresh(),
    };
  }

  dispose(): void {
    this.#disposable.dispose();
  }
}
