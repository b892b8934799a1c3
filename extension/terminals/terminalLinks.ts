import * as vscode from 'vscode';
import { HomeFilesApi } from '../../client/homeFilesApi.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { accountOf } from '../dotfiles/dotfileUri.ts';
import { threadUri } from '../threadFolder/threadUri.ts';
import { findPaths, type PathLink } from './pathLinks.ts';
import type { ThreadTerminals } from './threadTerminals.ts';

interface FileLink extends vscode.TerminalLink {
  readonly target: PathLink;
}

/** While the pointer moves over lines, the folder of a shell is asked for once. */
const cwdGoodForMs = 2_000;
const askTimeoutMs = 3_000;

/** Paths that thread terminals print open the file in the box; only those that are there are links. */
export class TerminalLinks implements vscode.TerminalLinkProvider<FileLink> {
  readonly #current: CurrentConnection;
  readonly #terminals: ThreadTerminals;
  #cwds: { readonly atMs: number; readonly byId: ReadonlyMap<string, string> } | undefined;

  constructor(current: CurrentConnection, terminals: ThreadTerminals) {
    this.#current = current;
    this.#terminals = terminals;
  }

  async provideTerminalLinks({ terminal, line }: vscode.TerminalLinkContext): Promise<FileLink[]> {
    const id = this.#terminals.idOf(terminal);
    const connection = this.#current.connection;
    const home = connection?.box?.home;
    if (id === undefined || connection?.state.name !== 'connected' || home === undefined) return [];
    try {
      const cwd = (await this.#cwdOf(connection, id)) ?? home;
      const files = new HomeFilesApi(connection.api);
      const found = await Promise.all(
        findPaths(line, cwd, home).map(async (target) => ({ target, isFile: await isFile(files, target.path) })),
      );
      return found
        .filter(({ isFile: is }) => is)
        .map(({ target }) => ({
          startIndex: target.start,
          length: target.length,
          tooltip: vscode.l10n.t('Open ~/{0}', target.path),
          target,
        }));
    } catch (error) {
      // A line without links is what a person sees while the service is away.
      if (error instanceof SpoonError) return [];
      throw error;
    }
  }

  async handleTerminalLink({ target }: FileLink): Promise<void> {
    const { session } = this.#current.require();
    const at = new vscode.Position(Math.max(0, (target.line ?? 1) - 1), Math.max(0, (target.column ?? 1) - 1));
    const options = target.line === undefined ? {} : { selection: new vscode.Range(at, at) };
    await vscode.commands.executeCommand('vscode.open', threadUri(accountOf(session), target.path), options);
  }

  async #cwdOf(connection: Connection, id: string): Promise<string | undefined> {
    const nowMs = performance.now();
    if (this.#cwds === undefined || nowMs - this.#cwds.atMs > cwdGoodForMs || !this.#cwds.byId.has(id)) {
      const { terminals } = await connection.api.call('listTerminals', { timeoutMs: askTimeoutMs });
      this.#cwds = { atMs: nowMs, byId: new Map(terminals.map((terminal) => [terminal.id, terminal.cwd])) };
    }
    return this.#cwds.byId.get(id);
  }
}

async function isFile(files: HomeFilesApi, path: string): Promise<boolean> {
  try {
    return (await files.stat(path, { timeoutMs: askTimeoutMs })).kind === 'file';
  } catch (error) {
    if (error instanceof SpoonError && error.status < 500) return false;
    throw error;
  }
}
