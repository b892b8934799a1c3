import { Value } from 'typebox/value';
import {
  type BatchOutcome,
  type DeletedDotfile,
  type Dotfile,
  type DotfileHistory,
  DotfileKind,
  type DriftList,
  dotfileHeaders,
  type ImportResult,
  type MoveResult,
  type OnExisting,
  type RemoveResult,
  type RestoredDrift,
  type SaveResult,
  type TakenDrift,
  type VersionOrigin,
} from '../protocol/dotfiles.ts';
import { SpoonError } from '../protocol/errors.ts';
import { formatFileMode } from '../protocol/fileMode.ts';
import type { LayerReport } from '../protocol/layers.ts';
import type { ApiClient } from './apiClient.ts';
import type { BytesAnswer } from './callTypes.ts';
import { type FileToSave, type SaveBase, type SaveManyOptions, saveMany } from './saveMany.ts';

const archiveTimeoutMs = 10 * 60_000;
/** Kept in memory here; larger collections than this are not dotfiles. */
const maxExportBytes = 512 * 1024 * 1024;

/** What the home has, which is no version. */
export interface HomeContent {
  readonly bytes: Uint8Array;
  readonly kind: DotfileKind;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  readonly modifiedMs: number;
}

export interface DotfileContent extends HomeContent {
  readonly etag: string;
  readonly version: number;
}

export interface SaveOptions {
  readonly base: SaveBase;
  readonly origin: VersionOrigin;
  readonly kind?: DotfileKind | undefined;
  /** Permission bits; without them the service keeps the mode, or chooses the expected one for a new file. */
  readonly mode?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The dotfiles of the signed-in user. Paths are home-relative and already canonical (`protocol/homePath.ts`). */
export class DotfilesApi {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  async list(signal?: AbortSignal): Promise<Dotfile[]> {
    return (await this.#api.call('listDotfiles', { signal })).dotfiles;
  }

  /** @param name the path, or the id of a removed dotfile */
  async read(
    name: string | { readonly id: string },
    options: { version?: number; signal?: AbortSignal } = {},
  ): Promise<DotfileContent> {
    const { version, signal } = options;
    const query = { ...named(name), ...(version === undefined ? {} : { version }) };
    return contentOf(await this.#api.call('readDotfile', { query, signal }), this.#api.host);
  }

  /** @throws SpoonError `version-stale` when the file is not what `base` says, `file-exists` for `create` */
  async save(path: string, bytes: Uint8Array, options: SaveOptions): Promise<SaveResult> {
    const { base, origin, kind, mode, signal } = options;
    const query = {
      path,
      origin,
      ...(kind === undefined ? {} : { kind }),
      ...(mode === undefined ? {} : { mode: formatFileMode(mode) }),
    };
    const headers: Record<string, string> = base === 'create' ? { 'if-none-match': '*' } : { 'if-match': base.etag };
    return await this.#api.call('saveDotfile', { query, body: bytes, headers, signal });
  }

  /** Many at once, with progress; see {@link saveMany}. */
  async saveMany(files: readonly FileToSave[], options: SaveManyOptions): Promise<BatchOutcome[]> {
    return await saveMany(this.#api, files, options);
  }

  /** With `etag` only that version of a file; a folder needs `recursive`. */
  async remove(
    path: string,
    options: { recursive?: boolean; etag?: string; signal?: AbortSignal } = {},
  ): Promise<RemoveResult> {
    const { recursive, etag, signal } = options;
    return await this.#api.call('removeDotfile', {
      query: recursive === undefined ? { path } : { path, recursive },
      headers: etag === undefined ? {} : { 'if-match': etag },
      signal,
    });
  }

  async move(
    from: string,
    to: string,
    options: { overwrite?: boolean; signal?: AbortSignal } = {},
  ): Promise<MoveResult> {
    const { overwrite, signal } = options;
    const body = overwrite === undefined ? { from, to } : { from, to, overwrite };
    return await this.#api.call('moveDotfile', { body, signal });
  }

  /** Newest first. @param name the path, or the id of a removed dotfile */
  async history(name: string | { readonly id: string }, signal?: AbortSignal): Promise<DotfileHistory> {
    return await this.#api.call('dotfileHistory', { query: named(name), signal });
  }

  /** Older versions are gone for good. @returns what is left @throws SpoonError `request-invalid` for the current one */
  async forget(path: string, versions: readonly number[], signal?: AbortSignal): Promise<DotfileHistory> {
    return await this.#api.call('forgetDotfileVersions', { body: { path, versions: [...versions] }, signal });
  }

  /** Those that can be restored, the last one removed first. */
  async deleted(signal?: AbortSignal): Promise<DeletedDotfile[]> {
    return (await this.#api.call('deletedDotfiles', { signal })).dotfiles;
  }

  /**
   * Makes an older version current, as a new version; or brings back a removed dotfile, by its path or id.
   * @throws SpoonError `version-stale` when `etag` is no longer current, `file-exists` when a removed one's place is taken
   */
  async restore(
    name: string | { readonly id: string },
    options: { version?: number; etag?: string; signal?: AbortSignal } = {},
  ): Promise<SaveResult> {
    const { version, etag, signal } = options;
    const body = {
      ...named(name),
      ...(version === undefined ? {} : { version }),
      ...(etag === undefined ? {} : { etag }),
    };
    return await this.#api.call('restoreDotfile', { body, signal });
  }

  /** Of a file or folder. @param mode permission bits, 0 to 0o777 */
  async setMode(
    path: string,
    mode: number,
    options: { origin: VersionOrigin; etag?: string; signal?: AbortSignal },
  ): Promise<SaveResult> {
    const { origin, etag, signal } = options;
    const body = { path, mode: formatFileMode(mode), origin, ...(etag === undefined ? {} : { etag }) };
    return await this.#api.call('setDotfileMode', { body, signal });
  }

  /** All of them as a tar archive. */
  async export(signal?: AbortSignal): Promise<Uint8Array> {
    const limits = { signal, timeoutMs: archiveTimeoutMs, maxBytes: maxExportBytes };
    return (await this.#api.call('exportDotfiles', limits)).bytes;
  }

  /**
   * Everything in a tar archive (also in gzip), or nothing of it.
   * @throws SpoonError `archive-…`, `file-exists` with `count` where something would be replaced and `existing` is `refuse`
   */
  async import(
    archive: Uint8Array,
    options: { existing: OnExisting; signal?: AbortSignal | undefined },
  ): Promise<ImportResult> {
    const { existing, signal } = options;
    const query = { existing };
    return await this.#api.call('importDotfiles', { query, body: archive, signal, timeoutMs: archiveTimeoutMs });
  }

  /** What was changed in the home by hand; afterwards `/v1/events` tells. */
  async drift(signal?: AbortSignal): Promise<DriftList> {
    return await this.#api.call('dotfileDrift', { signal });
  }

  /** Which layer made a file of the home, and what lost against it. */
  async layers(path: string, signal?: AbortSignal): Promise<LayerReport> {
    return await this.#api.call('dotfileLayers', { query: { path }, signal });
  }

  /** What the home of the running box has at the path of a dotfile. @throws SpoonError `box-stopped`, `not-found` */
  async readHome(path: string, signal?: AbortSignal): Promise<HomeContent> {
    const { bytes, header } = await this.#api.call('readHomeDotfile', { query: { path }, signal });
    return { bytes, ...factsOf(header, this.#api.host) };
  }

  /** Makes what is in the home the current version, or the kept edit. @throws SpoonError `version-stale` when `etag` is no longer current */
  async takeDrift(path: string, options: { etag?: string; signal?: AbortSignal } = {}): Promise<TakenDrift> {
    const { etag, signal } = options;
    return await this.#api.call('takeDrift', { body: etag === undefined ? { path } : { path, etag }, signal });
  }

  /** Writes the current version into the home; what was there is a version then. Lets a kept edit go. */
  async restoreDrift(path: string, signal?: AbortSignal): Promise<RestoredDrift> {
    return await this.#api.call('restoreDrift', { body: { path }, signal });
  }

  /** Whether to warn about what looks like a secret in it. */
  async silence(path: string, silenced: boolean, signal?: AbortSignal): Promise<Dotfile> {
    return await this.#api.call('silenceDotfile', { body: { path, silenced }, signal });
  }
}

function named(name: string | { readonly id: string }): { path: string } | { id: string } {
  return typeof name === 'string' ? { path: name } : name;
}

function contentOf({ bytes, header }: BytesAnswer, host: string): DotfileContent {
  const etag = header('etag');
  const version = Number(header(dotfileHeaders.version));
  if (etag === undefined || !(version >= 1)) throw incomplete(host);
  return { bytes, etag, version, ...factsOf(header, host) };
}

function factsOf(header: BytesAnswer['header'], host: string): Omit<HomeContent, 'bytes'> {
  const kind = header(dotfileHeaders.kind);
  const mode = header(dotfileHeaders.mode) ?? '';
  const modifiedMs = Number(header(dotfileHeaders.modifiedMs));
  if (!Value.Check(DotfileKind, kind) || !/^0?[0-7]{3}$/.test(mode) || !Number.isFinite(modifiedMs)) {
    throw incomplete(host);
  }
  return { kind, mode: Number.parseInt(mode, 8), modifiedMs };
}

function incomplete(host: string): SpoonError {
  return new SpoonError('service-answer-invalid', `${host} sent a file without saying which version it is.`);
}
