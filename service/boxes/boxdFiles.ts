import { Value } from 'typebox/value';
import { SpoonError } from '../../protocol/errors.ts';
import { type FileMoveRequest, FileStat, FolderEntries } from '../../protocol/homeFiles.ts';
import { maxEditedFileBytes, maxJsonBytes, maxResponseBytes } from '../../protocol/limits.ts';
import type { BoxdCalls } from './boxdCall.ts';

/** What a save is based on: this version, or nothing there. */
export type WriteBase = { readonly version: string } | 'create';

/** A look at one name; a file or a long list; a folder of many files that is copied or deleted. */
const quickMs = 5_000;
const transferMs = 30_000;
const treeMs = 120_000;
const headerBytes = 4;

/** Files of the home as boxd serves them (`protocol/boxd.ts`). Throws what the other calls to boxd throw. */
export class BoxdFiles {
  readonly #calls: BoxdCalls;

  constructor(calls: BoxdCalls) {
    this.#calls = calls;
  }

  stat(path: string, signal?: AbortSignal): Promise<FileStat> {
    return this.#calls.json(FileStat, { method: 'GET', path: at('/stat', { path }), timeoutMs: quickMs, signal });
  }

  list(path: string, signal?: AbortSignal): Promise<FolderEntries> {
    return this.#calls.json(FolderEntries, {
      method: 'GET',
      path: at('/list', { path }),
      timeoutMs: transferMs,
      maxBytes: maxResponseBytes,
      signal,
    });
  }

  async read(path: string, signal?: AbortSignal): Promise<{ stat: FileStat; bytes: Buffer }> {
    const maxBytes = maxEditedFileBytes + maxJsonBytes;
    const call = { method: 'GET', path: at('/content', { path }), timeoutMs: transferMs, maxBytes, signal } as const;
    const { body } = await this.#calls.call(call);
    const [head, bytes, ...rest] = cut(body);
    const stat = head === undefined ? undefined : parse(head);
    if (bytes === undefined || rest.length > 0 || !Value.Check(FileStat, stat)) throw notAFile();
    return { stat: Value.Clean(FileStat, stat) as FileStat, bytes };
  }

  write(path: string, bytes: Uint8Array, base: WriteBase): Promise<FileStat> {
    const url = at('/content', base === 'create' ? { path, create: '1' } : { path, version: base.version });
    return this.#calls.json(FileStat, { method: 'POST', path: url, body: bytes, timeoutMs: transferMs });
  }

  createFolder(path: string): Promise<FileStat> {
    const body = toJson({ path });
    return this.#calls.json(FileStat, { method: 'POST', path: '/v1/files/folders', body, timeoutMs: quickMs });
  }

  moveOrCopy(how: 'move' | 'copy', request: FileMoveRequest): Promise<FileStat> {
    const body = toJson({ overwrite: false, ...request });
    return this.#calls.json(FileStat, { method: 'POST', path: `/v1/files/${how}`, body, timeoutMs: treeMs });
  }

  async remove(path: string, recursive: boolean): Promise<void> {
    const url = at('', { path, recursive: String(recursive) });
    await this.#calls.call({ method: 'DELETE', path: url, timeoutMs: treeMs });
  }
}

function at(what: string, query: Record<string, string>): string {
  return `/v1/files${what}?${new URLSearchParams(query)}`;
}

function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** The frames of an answer (`overlayFrames.ts`) that is in memory already. */
function cut(body: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let offset = 0; offset < body.length; ) {
    if (body.length - offset < headerBytes) throw notAFile();
    const start = offset + headerBytes;
    const end = start + body.readUInt32BE(offset);
    if (end > body.length) throw notAFile();
    frames.push(body.subarray(start, end));
    offset = end;
  }
  return frames;
}

function parse(head: Buffer): unknown {
  try {
    return JSON.parse(head.toString('utf8'));
  } catch (cause) {
    throw new SpoonError('box-misbehaved', 'What it sent is not a file.', { cause });
  }
}

function notAFile(): SpoonError {
  return new SpoonError('box-misbehaved', 'What it sent is not a file.');
}
