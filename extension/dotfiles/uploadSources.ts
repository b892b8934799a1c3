import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import { isIgnored, isIgnoredName } from '../../protocol/ignoredFiles.ts';
import { maxDotfilesPerUser } from '../../protocol/limits.ts';
import { failureText } from '../failure.ts';
import type { LocalDisk } from '../platform.ts';
import { nameOf } from './dotfileIndex.ts';
import { type Candidate, excluder, type Refused, staysInside } from './dropPlan.ts';
import { inParallel } from './inParallel.ts';

/** Where uploads come from: files and folders that VS Code can read, and files that a browser hands over in a drop. */
export interface Source extends Candidate {
  /** As it is where it comes from; undefined where that is not known. */
  readonly mode?: number | undefined;
  /** Of a link its target. */
  read(): Promise<Uint8Array>;
}

export interface Collected {
  readonly sources: readonly Source[];
  readonly refused: readonly Refused[];
  /** How many names were left out because the person wants that. */
  readonly excluded: number;
}

export interface CollectOptions {
  readonly exclude: readonly string[];
  readonly token: vscode.CancellationToken;
  /** Where a URI is on the disk beside the extension; undefined for other places. */
  readonly localPath: (uri: vscode.Uri) => string | undefined;
  readonly disk: LocalDisk;
  /** The chosen folders stand for the home: what is in them is uploaded, and they are not. */
  readonly isRoot?: boolean;
}

interface Found {
  readonly uri: vscode.Uri;
  readonly name: string;
}

/** Looked at once at a time; a disk is quick and a remote one far. */
const atOnce = 16;

/**
 * Files as they are, folders with all below them. Works for every scheme that VS Code can read; modes and links come along
 * from the disk beside the extension.
 * @throws SpoonError `dotfile-limit` instead of walking through a whole disk; CancellationError
 */
export async function collectUris(uris: readonly vscode.Uri[], options: CollectOptions): Promise<Collected> {
  const walk = new Walk(options);
  const roots = uris.map((uri) => ({ uri, name: options.isRoot === true ? '' : nameOf(uri.path) }));
  return await walk.run(roots);
}

class Walk {
  readonly #options: CollectOptions;
  readonly #isExcluded: (name: string) => boolean;
  readonly #sources: Source[] = [];
  readonly #refused: Refused[] = [];
  #excluded = 0;

  constructor(options: CollectOptions) {
    this.#options = options;
    this.#isExcluded = excluder(options.exclude);
  }

  async run(roots: readonly Found[]): Promise<Collected> {
    // One level after the other: wide enough to be quick, and the depth takes no stack.
    for (let level = roots; level.length > 0; ) {
      const next: Found[] = [];
      await inParallel(level, atOnce, async (found) => {
        if (this.#options.token.isCancellationRequested) throw new vscode.CancellationError();
        if (this.#sources.length > maxDotfilesPerUser) {
          throw new SpoonError('dotfile-limit', `There are more than ${maxDotfilesPerUser} files in it.`);
        }
        try {
          next.push(...(await this.#look(found)));
        } catch (error) {
          this.#refused.push({ name: found.name, why: vscode.l10n.t('It could not be read: {0}', failureText(error)) });
        }
      });
      level = next;
    }
    this.#sources.sort((one, other) => (one.name < other.name ? -1 : 1));
    return { sources: this.#sources, refused: this.#refused, excluded: this.#excluded };
  }

  /** @returns what is in it, for a folder */
  async #look(found: Found): Promise<readonly Found[]> {
    if (found.name !== '' && this.#isLeftOut(found.name)) {
      this.#excluded += 1;
      return [];
    }
    const path = this.#options.localPath(found.uri);
    const entry = path === undefined ? await lookThroughVscode(found.uri) : await this.#options.disk.look(path);
    if (entry.kind === 'symlink') await this.#takeLink(found, path);
    else if (entry.kind === 'file') this.#takeFile(found, entry);
    else if (entry.kind === 'directory') return await this.#open(found);
    else this.#refuse(found, vscode.l10n.t('It is neither a file nor a folder.'));
    return [];
  }

  /** What is chosen by itself is meant, whatever its name usually stands for. */
  #isLeftOut(name: string): boolean {
    if (this.#isExcluded(nameOf(name))) return true;
    return this.#options.isRoot === true ? isIgnored(name) : name.includes('/') && isIgnoredName(nameOf(name));
  }

  async #open({ uri, name }: Found): Promise<readonly Found[]> {
    const children = await vscode.workspace.fs.readDirectory(uri);
    if (children.length === 0 && name !== '') {
      this.#sources.push({ name, kind: 'directory', size: 0, read: async () => new Uint8Array() });
    }
    return children.map(([child]) => ({
      uri: vscode.Uri.joinPath(uri, child),
      name: name === '' ? child : `${name}/${child}`,
    }));
  }

  #takeFile({ uri, name }: Found, { size, mode }: { size: number; mode: number | undefined }): void {
    this.#sources.push({ name, kind: 'file', size, mode, read: async () => await vscode.workspace.fs.readFile(uri) });
  }

  /** A link within what is uploaded stays one. Another would lead nowhere in the home, so what it leads to is taken. */
  async #takeLink(found: Found, path: string | undefined): Promise<void> {
    if (path === undefined) return this.#refuse(found, vscode.l10n.t('It is a link to a folder.'));
    const { disk, isRoot = false } = this.#options;
    const target = await disk.linkTarget(path);
    const behind = await disk.lookBehind(path).catch(() => undefined);
    // What leads nowhere here may do so in the home.
    if (behind === undefined || staysInside(found.name, target, isRoot)) {
      const bytes = new TextEncoder().encode(target);
      this.#sources.push({ name: found.name, kind: 'symlink', size: bytes.length, read: async () => bytes });
      return;
    }
    if (behind.kind === 'file') this.#takeFile(found, behind);
    else this.#refuse(found, vscode.l10n.t('It is a link to a folder elsewhere, {0}. Choose that one.', target));
  }

  #refuse({ name }: Found, why: string): void {
    this.#refused.push({ name, why });
  }
}

/** Links are followed by VS Code, and it does not say where to; only those to files are of use then. */
async function lookThroughVscode(uri: vscode.Uri): Promise<Awaited<ReturnType<LocalDisk['look']>>> {
  const { type, size } = await vscode.workspace.fs.stat(uri);
  const facts = { size, mode: undefined };
  if ((type & vscode.FileType.File) !== 0) return { ...facts, kind: 'file' };
  if ((type & vscode.FileType.Directory) === 0) return { ...facts, kind: 'other' };
  return { ...facts, kind: (type & vscode.FileType.SymbolicLink) === 0 ? 'directory' : 'symlink' };
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
export async function collectDropped(items: vscode.DataTransfer, exclude: readonly string[]): Promise<Collected> {
  const isExcluded = excluder(exclude);
  const files = [...items].map(([, item]) => item.asFile()).filter((file) => file !== undefined);
  const wanted = files.filter(({ name }) => !isExcluded(name));
  const sources: Source[] = [];
  const refused: Refused[] = [];
  await Promise.all(
    wanted.map(async (file) => {
      try {
        const bytes = await file.data();
        sources.push({ name: file.name, kind: 'file', size: bytes.length, read: async () => bytes });
      } catch {
        const why = vscode.l10n.t('A browser does not let folders be read from a drop. Use Upload Dotfiles Folder….');
        refused.push({ name: file.name, why });
      }
    }),
  );
  return { sources, refused, excluded: files.length - wanted.length };
}
