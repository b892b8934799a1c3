import type { BatchEntry, BatchOutcome, VersionOrigin } from '../protocol/dotfiles.ts';
import { SpoonError } from '../protocol/errors.ts';
import { formatFileMode } from '../protocol/fileMode.ts';
import { maxBatchEntries, maxFileBytes } from '../protocol/limits.ts';
import { frame } from '../protocol/overlayFrames.ts';
import type { ApiClient } from './apiClient.ts';

/** What a save is based on: the version that was read, or nothing there yet. */
export type SaveBase = { readonly etag: string } | 'create';

/** One of many files to save; its bytes are read when its turn comes. */
export interface FileToSave {
  readonly path: string;
  readonly base: SaveBase;
  readonly kind?: BatchEntry['kind'];
  /** Permission bits; without them the service chooses. */
  readonly mode?: number | undefined;
  /** Known beforehand, for the size of a request. */
  readonly size: number;
  bytes(): Promise<Uint8Array>;
}

export interface SaveManyOptions {
  readonly origin: VersionOrigin;
  readonly signal?: AbortSignal | undefined;
  /** After each request: what became of its files. */
  readonly onOutcomes?: (outcomes: readonly BatchOutcome[]) => void;
}

/** Small enough that a progress bar moves and a cancel is quick, large enough that commits do not count. */
const filesPerRequest = 100;
const bytesPerRequest = 2 * 1024 * 1024;
const requestsAtOnce = 3;
/** The head of an entry: a path of 1 KiB in JSON, and the lengths of two frames. */
const bytesPerHead = 4 * 1024;

/**
 * Saves any number of files, several in a request and several requests at once. Each file goes in wholly or not at all. What
 * cannot be read here is refused like what the service refuses; the rest goes on.
 * @returns in the order of `files`, except that a cancel or a failure leaves out what did not get there
 * @throws SpoonError when the service cannot be reached or fails, the signal's reason; `onOutcomes` has told what is in
 */
export async function saveMany(
  api: ApiClient,
  files: readonly FileToSave[],
  { origin, signal, onOutcomes }: SaveManyOptions,
): Promise<BatchOutcome[]> {
  const batches = batchesOf(files);
  const done: BatchOutcome[][] = [];
  const stop = new AbortController();
  const eitherSignal = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < batches.length; index = next++) {
      eitherSignal.throwIfAborted();
      const outcomes = await saveBatch(api, batches[index] ?? [], { origin, signal: eitherSignal });
      done[index] = outcomes;
      onOutcomes?.(outcomes);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(requestsAtOnce, batches.length) }, work));
  } finally {
    // One that failed ends the others; the service may still have taken what was on its way.
    stop.abort();
  }
  return done.flat();
}

async function saveBatch(
  api: ApiClient,
  batch: readonly FileToSave[],
  { origin, signal }: { origin: VersionOrigin; signal: AbortSignal },
): Promise<BatchOutcome[]> {
  const outcomes: (BatchOutcome | undefined)[] = [];
  const parts: Uint8Array[] = [];
  for (const [index, file] of batch.entries()) {
    try {
      const bytes = await file.bytes();
      if (bytes.length > maxFileBytes - bytesPerHead * batch.length) {
        throw new SpoonError('body-too-large', `At most ${maxFileBytes} bytes.`);
      }
      parts.push(...frame(new TextEncoder().encode(JSON.stringify(entryOf(file)))), ...frame(bytes));
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      const { code, title, detail } = error;
      outcomes[index] = { path: file.path, refused: { code, title, ...(detail === undefined ? {} : { detail }) } };
    }
  }
  const answered =
    parts.length === 0
      ? []
      : (await api.call('saveDotfiles', { query: { origin }, body: joined(parts), signal })).outcomes;
  let next = 0;
  return batch.map((file, index) => {
    const outcome = outcomes[index] ?? answered[next++];
    if (outcome === undefined) throw new SpoonError('service-answer-invalid', `Nothing was said about ${file.path}.`);
    return outcome;
  });
}

function entryOf({ path, base, kind, mode }: FileToSave): BatchEntry {
  return {
    path,
    ...(base === 'create' ? {} : { etag: base.etag }),
    ...(kind === undefined ? {} : { kind }),
    ...(mode === undefined ? {} : { mode: formatFileMode(mode) }),
  };
}

function batchesOf(files: readonly FileToSave[]): FileToSave[][] {
  const batches: FileToSave[][] = [];
  let bytes = 0;
  for (const file of files) {
    const last = batches.at(-1);
    if (
      last === undefined ||
      last.length >= Math.min(filesPerRequest, maxBatchEntries) ||
      bytes + file.size > bytesPerRequest
    ) {
      batches.push([file]);
      bytes = file.size;
    } else {
      last.push(file);
      bytes += file.size;
    }
  }
  return batches;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
