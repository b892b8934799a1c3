import { SpoonError } from '../protocol/errors.ts';
import type { FileMoveRequest, FileStat, FolderEntries } from '../protocol/homeFiles.ts';
import type { ApiClient } from './apiClient.ts';
import type { CallLimits } from './callTypes.ts';

/** What a save is based on: this version, or nothing there. */
export type FileBase = { readonly version: string } | 'create';

/** A folder with many files takes as long as the box's disk does. */
const treeTimeoutMs = 150_000;

/** Files in the home of the running box. Paths are relative to the home; none of these starts a box. */
export class HomeFilesApi {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** @throws SpoonError `not-found` */
  stat(path: string, limits: CallLimits = {}): Promise<FileStat> {
    return this.#api.call('statFile', { query: { path }, ...limits });
  }

  list(path: string): Promise<FolderEntries> {
    return this.#api.call('listFolder', { query: { path } });
  }

  async read(path: string): Promise<{ bytes: Uint8Array; version: string }> {
    const { bytes, header } = await this.#api.call('readFile', { query: { path } });
    const version = /^"([0-9a-z-]+)"$/.exec(header('etag') ?? '')?.[1];
    if (version === undefined) {
      throw new SpoonError(
        'service-answer-invalid',
        `${this.#api.host} sent a file without saying which version it is.`,
      );
    }
    return { bytes, version };
  }

  /** @throws SpoonError `version-stale` when the file is not what `base` says, `file-exists` for `create` */
  write(path: string, bytes: Uint8Array, base: FileBase): Promise<FileStat> {
    const headers: Record<string, string> =
      base === 'create' ? { 'if-none-match': '*' } : { 'if-match': `"${base.version}"` };
    return this.#api.call('writeFile', { query: { path }, body: bytes, headers });
  }

  createFolder(path: string): Promise<FileStat> {
    return this.#api.call('createFolder', { body: { path } });
  }

  move(request: FileMoveRequest): Promise<FileStat> {
    return this.#api.call('moveFile', { body: request, timeoutMs: treeTimeoutMs });
  }

  copy(request: FileMoveRequest): Promise<FileStat> {
    return this.#api.call('copyFile', { body: request, timeoutMs: treeTimeoutMs });
  }

  async remove(path: string, recursive: boolean): Promise<void> {
    await this.#api.call('removeFile', { query: { path, recursive }, timeoutMs: treeTimeoutMs });
  }
}
