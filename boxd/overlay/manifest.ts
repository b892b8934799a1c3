import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import type { HomeDirectory } from '../home/homeDirectory.ts';
import { toHomeError } from '../home/homeErrors.ts';
import { writeFile } from '../home/homeFiles.ts';
import type { PinnedFolder } from '../home/pinnedFolder.ts';
import type { Recorded } from './manifestDiff.ts';

const manifestPath = '.spoon/manifest.json';
const name = 'manifest.json';
const format = 1;
/** 10,000 entries with the longest paths. */
const maxBytes = 32 * 1024 * 1024;

/**
 * What Spoon has written into this home, kept in the home. A person may edit or delete it: then Spoon knows less, looks
 * at the files themselves, and takes equal bytes for its own.
 */
export class Manifest {
  /** Of the whole overlay; empty while something of it is missing. */
  digest = '';
  readonly entries = new Map<string, Recorded>();
  /** Folders that Spoon made to hold entries, and removes again when they are empty. */
  readonly folders = new Set<string>();
}

/** Reads the manifest, and remembers it while the file is the same one. */
export class ManifestFile {
  #cached: { manifest: Manifest; stamp: string } | undefined;

  load(home: HomeDirectory): Manifest {
    const folder = this.#folder(home);
    const stamp = stampOf(folder);
    if (stamp === undefined) return new Manifest();
    if (this.#cached?.stamp === stamp) return this.#cached.manifest;
    const manifest = read(folder);
    this.#cached = { manifest, stamp };
    return manifest;
  }

  /** @throws SpoonError `home-not-writable`, `insufficient-storage`, … */
  save(home: HomeDirectory, manifest: Manifest): void {
    const folder = this.#folder(home);
    this.#cached = undefined;
    const text = JSON.stringify({
      format,
      digest: manifest.digest,
      entries: Object.fromEntries(manifest.entries),
      folders: [...manifest.folders],
    });
    try {
      writeFile(folder, name, Buffer.from(text), 0o600);
    } catch (error) {
      throw toHomeError(error, manifestPath);
    }
    const stamp = stampOf(folder);
    if (stamp !== undefined) this.#cached = { manifest, stamp };
  }

  #folder(home: HomeDirectory): PinnedFolder {
    return home.folder('.spoon', () => {});
  }
}

function stampOf(folder: PinnedFolder): string | undefined {
  const stat = lstatSync(folder.entry(name), { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() ? `${stat.ino}:${stat.size}:${stat.mtimeNs}` : undefined;
}

function read(folder: PinnedFolder): Manifest {
  const fd = openSync(folder.entry(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > maxBytes) return new Manifest();
    return parseManifest(readFileSync(fd, 'utf8'));
  } finally {
    closeSync(fd);
  }
}

/** Anything that is not as Spoon writes it is left out. */
function parseManifest(text: string): Manifest {
  const manifest = new Manifest();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return manifest;
  }
  const fields = (value ?? {}) as Record<string, unknown>;
  if (fields.format !== format) return manifest;
  let complete = true;
  for (const [path, entry] of Object.entries((fields.entries ?? {}) as object)) {
    if (isRecorded(entry)) manifest.entries.set(path, entry);
    else complete = false;
  }
  const folders = fields.folders;
  if (Array.isArray(folders)) for (const path of folders) if (typeof path === 'string') manifest.folders.add(path);
  if (complete && typeof fields.digest === 'string') manifest.digest = fields.digest;
  return manifest;
}

function isRecorded(value: unknown): value is Recorded {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, content, mode, size, mtimeNs, sha256 } = value as Record<string, unknown>;
  return (
    (kind === 'file' || kind === 'symlink' || kind === 'directory') &&
    typeof content === 'string' &&
    typeof mode === 'number' &&
    typeof size === 'number' &&
    typeof mtimeNs === 'string' &&
    typeof sha256 === 'string'
  );
}
