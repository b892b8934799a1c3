import type { FastifyInstance } from 'fastify';
import { Check } from 'typebox/value';
import { type Applied, BatchEntry, type BatchOutcome, type Refusal } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { parseFileMode } from '../../protocol/fileMode.ts';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import { maxBatchEntries, maxFileBytes } from '../../protocol/limits.ts';
import { readFrameBatches } from '../../protocol/overlayFrames.ts';
import { routes } from '../../protocol/routes.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientOf } from '../http/clientOf.ts';
import { addRoute } from '../http/route.ts';
import type { Dotfiles, Saved } from './dotfiles.ts';
import type { SaveInput } from './planSave.ts';
import { originOf } from './readInput.ts';
import { applyAndTell, type ChangeHearers, changedOf } from './tellChange.ts';

/** Many saves in one request: a thousand small files one by one would spend their time in round trips and commits. */
export function addBatchRoutes(app: FastifyInstance, dotfiles: Dotfiles, hearers: ChangeHearers): void {
  addRoute(app, routes.saveDotfiles, async ({ caller, query, body, request }) => {
    const userId = requireUser(caller).userId;
    const origin = originOf(query.origin);
    const read = (await readBatch(body)).map(({ entry, bytes }) => ({
      path: entry.path,
      input: attempt(() => inputOf(entry, bytes, origin)),
    }));
    const inputs = read.flatMap(({ input }) => (input instanceof SpoonError ? [] : [input]));
    const results = await dotfiles.saveMany(userId, inputs);
    const saved = results.filter((result): result is Saved => !(result instanceof SpoonError));
    request.changedDotfiles = changedOf(saved);
    const clientId = clientOf(request);
    for (const { dotfile, changed } of saved) {
      if (changed) hearers.publish(userId, { type: 'dotfile.saved', dotfile, clientId });
    }
    const applied = await applyAndTell(hearers, userId, {
      saved: saved.map(({ dotfile }) => dotfile.path as HomePath),
    });
    let next = 0;
    const outcomes = read.map(({ path, input }) =>
      outcomeOf(path, input instanceof SpoonError ? input : results[next++], applied),
    );
    return { outcomes };
  });
}

async function readBatch(body: Uint8Array): Promise<{ entry: BatchEntry; bytes: Uint8Array }[]> {
  const files: { entry: BatchEntry; bytes: Uint8Array }[] = [];
  let entry: BatchEntry | undefined;
  for await (const frames of readFrameBatches([body], maxFileBytes)) {
    for (const frame of frames) {
      if (entry === undefined) {
        entry = parseEntry(frame);
        continue;
      }
      files.push({ entry, bytes: frame });
      entry = undefined;
      if (files.length > maxBatchEntries) {
        throw new SpoonError('request-invalid', `At most ${maxBatchEntries} files at once.`);
      }
    }
  }
  if (entry !== undefined) throw new SpoonError('request-invalid', 'The last file came without its bytes.');
  return files;
}

function parseEntry(frame: Uint8Array): BatchEntry {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame));
  } catch (cause) {
    throw new SpoonError('json-invalid', 'The head of a file cannot be read.', { cause });
  }
  if (!Check(BatchEntry, value)) throw new SpoonError('request-invalid', 'The head of a file has another form.');
  return value;
}

function inputOf(entry: BatchEntry, bytes: Uint8Array, origin: SaveInput['origin']): SaveInput {
  return {
    path: parseHomePath(entry.path),
    kind: entry.kind ?? 'file',
    bytes,
    mode: entry.mode === undefined ? undefined : parseFileMode(entry.mode),
    ifMatch: entry.etag,
    ifNoneMatch: entry.etag === undefined ? '*' : undefined,
    origin,
  };
}

function attempt<T>(work: () => T): T | SpoonError {
  try {
    return work();
  } catch (error) {
    if (error instanceof SpoonError) return error;
    throw error;
  }
}

function outcomeOf(
  path: string,
  result: Saved | SpoonError | undefined,
  applied: ReadonlyMap<string, Applied>,
): BatchOutcome {
  if (result === undefined) throw new Error('a file of a batch has no result');
  if (result instanceof SpoonError) return { path, refused: refusalOf(result) };
  const { dotfile, changed, warnings } = result;
  return { path, dotfile, changed, warnings, applied: applied.get(path) ?? { state: 'applied' } };
}

function refusalOf({ code, title, detail }: SpoonError): Refusal {
  return { code, title, ...(detail === undefined ? {} : { detail }) };
}
