import * as vscode from 'vscode';
import type { Candidate } from './dropPlan.ts';

/** Where uploads come from: files and folders that VS Code can read, and files that a browser hands over in a drop. */
export interface Source extends Candidate {
  read(): Promise<Uint8Array>;
}

export interface Collected {
  readonly sources: readonly Source[];
  /** Names of what cannot be read, such as a folder dropped on a browser window. */
  readonly unreadable: readonly string[];
}

/** Deeper is a loop of links, not a folder of dotfiles. */
const maxDepth = 32;

/**
 * Files as they are, folders with all below them. Works for every scheme that VS Code can read.
 * @param exclude names not to go into: a `node_modules` is not worth the walk
 */
export async function collectUris(
  uris: readonly vscode.Uri[],
  options: { readonly exclude: readonly string[]; readonly token: vscode.CancellationToken },
): Promise<Collected> {
  const sources: Source[] = [];
  const unreadable: string[] = [];
  const excluded = new Set(options.exclude);
  const walk = async (uri: vscode.Uri, name: string, depth: number): Promise<void> => {
    if (options.token.isCancellationRequested) throw new vscode.CancellationError();
    const base = name.slice(name.lastIndexOf('/') + 1);
    if (excluded.has(base)) return;
    try {
      const stat = await vscode.workspace.fs.stat(uri);
      if ((stat.type & vscode.FileType.Directory) === 0) {
        sources.push({
          name,
          kind: 'file',
          size: stat.size,
          read: async () => await vscode.workspace.fs.readFile(uri),
        });
        return;
      }
      if (depth > maxDepth) return void unreadable.push(name);
      const children = await vscode.workspace.fs.readDirectory(uri);
      if (children.length === 0) sources.push({ name, kind: 'directory', size: 0, read: async () => new Uint8Array() });
      for (const [child] of children) await walk(vscode.Uri.joinPath(uri, child), `${name}/${child}`, depth + 1);
    } catch (error) {
      if (error instanceof vscode.CancellationError) throw error;
      unreadable.push(name);
    }
  };
  for (const uri of uris) await walk(uri, uri.path.slice(uri.path.lastIndexOf('/') + 1), 0);
  return { sources, unreadable };
}

/** `text/uri-list` as RFC 2483 has it. */
export function parseUriList(text: string): vscode.Uri[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => vscode.Uri.parse(line, true).with({ fragment: '' }));
}

/**
 * Files that a drop carries by itself (a browser gives no address). They can be read only while the drop is handled, so
 * this reads them all before anything is asked.
 */
export async function collectDropped(items: vscode.DataTransfer): Promise<Collected> {
  const files = [...items].map(([, item]) => item.asFile()).filter((file) => file !== undefined);
  const sources: Source[] = [];
  const unreadable: string[] = [];
  await Promise.all(
    files.map(async (file) => {
      try {
        const bytes = await file.data();
        sources.push({ name: file.name, kind: 'file', size: bytes.length, read: async () => bytes });
      } catch {
        // A folder, to a browser; its contents cannot be had this way.
        unreadable.push(file.name);
      }
    }),
  );
  return { sources, unreadable };
}
