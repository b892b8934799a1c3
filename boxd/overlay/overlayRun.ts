import { mkdirSync, rmdirSync, unlinkSync } from 'node:fs';
import type { OverlayEntry, OverlayOutcome } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { parseHomePath } from '../../protocol/homePath.ts';
import type { HomeDirectory } from '../home/homeDirectory.ts';
import { hasCode, toHomeError } from '../home/homeErrors.ts';
import { setMode, sha256, writeFile, writeLink } from '../home/homeFiles.ts';
import type { PinnedFolder } from '../home/pinnedFolder.ts';
import type { BackupPlace } from './backups.ts';
import type { Manifest } from './manifest.ts';
import { type Decision, decideRemoval, decideTakingOut, type Observed, type Recorded } from './manifestDiff.ts';
import { decide, observe, observeWithHash } from './observe.ts';

/** While entries are written into a folder its owner must be able to; the wanted mode is set at the end. */
const writableFolder = 0o700;

interface Options {
  readonly home: HomeDirectory;
  readonly manifest: Manifest;
  readonly backups: BackupPlace;
  /** Files that Spoon made outside of any overlay, by path: no hand edit when the overlay brings its own. */
  readonly ownFiles: ReadonlyMap<string, Recorded>;
  /** What is removed gives its place back to what was there before. */
  readonly restore: boolean;
}

/** One apply: does what the rules decide, entry by entry, and keeps the manifest true to what was done. */
export class OverlayRun {
  readonly outcomes: OverlayOutcome[] = [];
  readonly #options: Options;
  readonly #folderModes = new Map<string, number>();

  constructor(options: Options) {
    this.#options = options;
  }

  get complete(): boolean {
    return this.outcomes.every(({ result }) => result !== 'refused');
  }

  /** Never lets one bad entry stop the rest. @param bytes of a file, or the target of a link; absent where the box was thought to have them */
  apply(entry: OverlayEntry, bytes: Uint8Array | undefined): void {
    const { path } = entry;
    const { home, manifest } = this.#options;
    try {
      parseHomePath(path);
      const folder = home.folder(parentOf(path), (made) => manifest.folders.add(made));
      this.outcomes.push(this.#applyIn(folder, nameOf(path), entry, bytes));
    } catch (error) {
      this.outcomes.push(refused(path, toHomeError(error, path)));
    }
  }

  remove(path: string): void {
    const { home, manifest } = this.#options;
    const recorded = manifest.entries.get(path);
    try {
      parseHomePath(path);
      const result = this.#removeFrom(home.folder(parentOf(path)), nameOf(path), recorded);
      manifest.entries.delete(path);
      if (result === 'removed') this.#removeEmptyParents(path);
      this.outcomes.push({ path, result });
    } catch (error) {
      const failure = toHomeError(error, path);
      const gone = hasCode(failure.cause, 'ENOENT', 'ENOTDIR') || failure.code === 'path-kind-conflict';
      // Moved out of the home and linked to: no longer ours to remove.
      const left = failure.code === 'path-through-symlink';
      if (gone || left) manifest.entries.delete(path);
      const { detail = failure.title } = failure;
      if (gone) this.outcomes.push({ path, result: 'removed' });
      else if (left) this.outcomes.push({ path, result: 'kept', code: failure.code, detail });
      else this.outcomes.push(refused(path, failure));
    }
  }

  /** `kept`: a person's own work is there, and stays. */
  #removeFrom(folder: PinnedFolder, name: string, recorded: Recorded | undefined): 'removed' | 'restored' | 'kept' {
    const { restore, backups } = this.#options;
    let observed = observe(folder, name);
    if (recorded === undefined) return observed.kind === 'missing' ? 'removed' : 'kept';
    const decideIt = restore ? decideTakingOut : decideRemoval;
    let removal = decideIt(recorded, observed);
    if (removal === 'read') {
      observed = observeWithHash(folder, name, observed);
      removal = decideIt(recorded, observed);
    }
    if (removal === 'keep') return 'kept';
    if (removal === 'remove') {
      const { displaced } = recorded;
      if (restore && displaced !== undefined && backups.putBack(displaced, folder, name)) return 'restored';
      if (observed.kind === 'directory') this.#removeFolder(folder, name);
      else unlinkSync(folder.entry(name));
    }
    return 'removed';
  }

  /** Last: a folder that its owner may not write could not have been filled before. */
  setFolderModes(): void {
    const deepestFirst = [...this.#folderModes].sort(([a], [b]) => b.length - a.length);
    for (const [path, mode] of deepestFirst) {
      try {
        const folder = this.#options.home.folder(parentOf(path));
        setMode(folder, nameOf(path), mode);
      } catch (error) {
        this.outcomes.push(refused(path, toHomeError(error, path)));
      }
    }
  }

  #applyIn(folder: PinnedFolder, name: string, entry: OverlayEntry, bytes: Uint8Array | undefined): OverlayOutcome {
    const { path, kind, mode, size, content } = entry;
    const { manifest, ownFiles } = this.#options;
    const hash = bytes && sha256(bytes);
    const recorded = manifest.entries.get(path);
    const wanted = { kind, mode, size, content, ...(hash === undefined ? {} : { sha256: hash }) };
    const { decision, observed } = decide(folder, name, wanted, recorded ?? ownFiles.get(path));
    switch (decision.act) {
      case 'refuse':
        throw new SpoonError(decision.code, `${path}: ${decision.detail}`, { extra: { path } });
      case 'read':
        throw new Error('a file that has been read is to be read again');
      case 'keep':
        this.#record(entry, observed, recorded, hash);
        return { path, result: 'unchanged' };
      case 'setMode':
        if (kind === 'directory') this.#folderModes.set(path, mode);
        else setMode(folder, name, mode);
        this.#record(entry, observed, recorded, hash);
        return { path, result: 'written' };
      case 'write':
        break;
    }
    if (kind !== 'directory' && bytes === undefined) {
      throw new SpoonError('request-invalid', `${path} has changed since the plan: its bytes are needed.`);
    }
    const backup = this.#keepAside(decision, path, folder, name);
    const displaced = this.#displacedBy(entry, recorded, backup.backup, folder);
    this.#write(folder, name, entry, decision, bytes, hash);
    const written = manifest.entries.get(path);
    if (written !== undefined && displaced !== undefined) manifest.entries.set(path, { ...written, displaced });
    const base = backup.backup === undefined || recorded === undefined ? {} : { base: recorded.content };
    return { path, result: 'written', ...backup, ...base };
  }

  #keepAside(
    { backup }: Extract<Decision, { act: 'write' }>,
    path: string,
    folder: PinnedFolder,
    name: string,
  ): Pick<OverlayOutcome, 'backup' | 'backupKind'> {
    return backup === undefined ? {} : { backup: this.#options.backups.keep(path, folder, name), backupKind: backup };
  }

  /** The first that was in the way is what the home had without Spoon; what is found and now written over is kept for that. */
  #displacedBy(
    { path }: OverlayEntry,
    recorded: Recorded | undefined,
    backup: string | undefined,
    folder: PinnedFolder,
  ): string | undefined {
    const before = recorded?.displaced ?? backup;
    if (before !== undefined || recorded?.found !== true || recorded.kind === 'directory') return before;
    if (observe(folder, nameOf(path)).kind !== recorded.kind) return undefined;
    return this.#options.backups.keep(path, folder, nameOf(path));
  }

  #write(
    folder: PinnedFolder,
    name: string,
    { path, kind, mode, content }: OverlayEntry,
    { clear }: Extract<Decision, { act: 'write' }>,
    bytes: Uint8Array = new Uint8Array(),
    hash = '',
  ): void {
    if (clear === 'folder') this.#removeFolder(folder, name);
    else if (clear === 'file') unlinkSync(folder.entry(name));
    const { entries } = this.#options.manifest;
    if (kind === 'directory') {
      mkdirSync(folder.entry(name), mode | writableFolder);
      this.#folderModes.set(path, mode);
      entries.set(path, { kind, content, mode, size: 0, mtimeNs: '', sha256: '' });
      return;
    }
    const stamp = kind === 'file' ? writeFile(folder, name, bytes, mode) : writeLink(folder, name, bytes);
    entries.set(path, { kind, content, mode, size: bytes.length, mtimeNs: stamp.mtimeNs, sha256: hash });
  }

  /** Takes over what is there already. */
  #record({ path, kind, mode, size, content }: OverlayEntry, observed: Observed, old?: Recorded, hash?: string): void {
    const { entries, folders } = this.#options.manifest;
    const wasMade = observed.kind === 'directory' && folders.has(path);
    const found = old === undefined ? !wasMade : (old.found ?? false);
    const before = { ...(found && { found }), ...(old?.displaced !== undefined && { displaced: old.displaced }) };
    if (observed.kind === 'directory') {
      entries.set(path, { kind, content, mode, size: 0, mtimeNs: '', sha256: '', ...before });
      return;
    }
    const mtimeNs = 'mtimeNs' in observed ? observed.mtimeNs : '';
    entries.set(path, { kind, content, mode, size, mtimeNs, sha256: hash ?? old?.sha256 ?? '', ...before });
  }

  #removeFolder(folder: PinnedFolder, name: string): void {
    rmdirSync(folder.entry(name));
    this.#options.home.forget(folder.path === '' ? name : `${folder.path}/${name}`);
  }

  #removeEmptyParents(path: string): void {
    const { home, manifest } = this.#options;
    for (let parent = parentOf(path); parent !== '' && manifest.folders.has(parent); parent = parentOf(parent)) {
      if (manifest.entries.has(parent)) return;
      try {
        this.#removeFolder(home.folder(parentOf(parent)), nameOf(parent));
      } catch (error) {
        // Something else lives in it, or it is gone: either way it is no longer Spoon's to remove.
        if (!hasCode(error, 'ENOTEMPTY', 'ENOENT', 'ENOTDIR') && !(error instanceof SpoonError)) throw error;
        if (hasCode(error, 'ENOTEMPTY')) return;
      }
      manifest.folders.delete(parent);
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function refused(path: string, error: SpoonError): OverlayOutcome {
  return { path: path.slice(0, 4096), result: 'refused', code: error.code, detail: error.message.slice(0, 4096) };
}
