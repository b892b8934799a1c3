import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Transaction } from 'kysely';
import { type Static, type TSchema, Type } from 'typebox';
import { Check } from 'typebox/value';
import { SpoonError } from '../../protocol/errors.ts';
import { type EndedJobState, JobChanges } from '../../protocol/jobs.ts';
import { maxKeptJobBytesPerUser, maxKeptJobsPerUser, maxWaitingJobsPerUser } from '../../protocol/limits.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { JobPartRow, JobRow, Tables } from '../store/tables.ts';
import type { Part } from './keptLog.ts';

/** What a job was asked; never changes. */
const JobHead = Type.Object({
  threadId: Type.String(),
  spoon: Type.String(),
  branch: Type.String(),
  prompt: Type.String(),
  timeLimitMs: Type.Integer(),
  retryOf: Type.Union([Type.String(), Type.Null()]),
});
export type JobHead = Static<typeof JobHead>;

/** What became of it. */
const StoredEnd = Type.Object({
  detail: Type.Union([Type.String(), Type.Null()]),
  exitCode: Type.Union([Type.Integer(), Type.Null()]),
  changes: Type.Union([JobChanges, Type.Null()]),
  notes: Type.Array(Type.String()),
});
export type StoredEnd = Static<typeof StoredEnd>;

export interface StoredJob extends JobHead {
  readonly id: string;
  readonly userId: string;
  readonly state: JobRow['state'];
  readonly createdMs: number;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  readonly outputBytes: number;
  readonly end: StoredEnd | null;
}

export interface JobRecordsParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly now: () => number;
  /** A row that does not open; the others go on. */
  readonly onDamage: (damage: { userId: string; error: SpoonError }) => void;
}

const compress = promisify(gzip);
const decompress = promisify(gunzip);
const unfinished = ['queued', 'running'] as const;
/** Of one part; what is larger is no part of ours. */
const maxPartBytes = 4 * 1024 * 1024;

/** The tables `jobs` and `job_parts`: prompts, ends, logs and diffs, sealed like contents (security.md, decision 7). */
export class JobRecords {
  readonly #parts: JobRecordsParts;

  constructor(parts: JobRecordsParts) {
    this.#parts = parts;
  }

  /** Makes room by forgetting the oldest that have ended. @throws SpoonError `job-limit` */
  async create(userId: string, head: JobHead): Promise<{ job: StoredJob; forgotten: string[] }> {
    const { store, keyring, now } = this.#parts;
    const id = crypto.randomUUID();
    const createdMs = now();
    const head_enc = await keyring.seal(contextOf(userId, id, 'head'), Buffer.from(JSON.stringify(head)));
    const times = { created_ms: createdMs, started_ms: null, ended_ms: null };
    const values: JobRow = { id, user_id: userId, state: 'queued', ...times, output_bytes: 0, head_enc, end_enc: null };
    const forgotten = await store.transaction(async (trx) => {
      const own = await trx
        .selectFrom('jobs')
        .select(['id', 'state'])
        .where('user_id', '=', userId)
        .orderBy('created_ms', 'desc')
        .execute();
      const waiting = own.filter(({ state }) => state === 'queued').length;
      if (waiting >= maxWaitingJobsPerUser) throw new SpoonError('job-limit', `At most ${maxWaitingJobsPerUser}.`);
      const keptBytes = await keptBytesOf(trx, userId);
      let total = 0;
      const old = own.filter(({ id, state }, index) => {
        total += keptBytes.get(id) ?? 0;
        const isTooMuch = index >= maxKeptJobsPerUser - 1 || total > maxKeptJobBytesPerUser;
        return isTooMuch && state !== 'queued' && state !== 'running';
      });
      const ids = old.map((row) => row.id);
      if (ids.length > 0) await trx.deleteFrom('jobs').where('id', 'in', ids).execute();
      await trx.insertInto('jobs').values(values).execute();
      return ids;
    });
    const job = { ...head, id, userId, state: 'queued', createdMs, startedMs: null, endedMs: null } as const;
    return { job: { ...job, outputBytes: 0, end: null }, forgotten };
  }

  /** The newest first. */
  async list(userId: string): Promise<StoredJob[]> {
    const rows = await this.#parts.store.db
      .selectFrom('jobs')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('created_ms', 'desc')
      .orderBy('id')
      .execute();
    return this.#openAll(rows);
  }

  /** Of all users, what has not ended, the oldest first. */
  async unfinished(): Promise<StoredJob[]> {
    const rows = await this.#parts.store.db
      .selectFrom('jobs')
      .selectAll()
      .where('state', 'in', [...unfinished])
      .orderBy('created_ms')
      .orderBy('id')
      .execute();
    return this.#openAll(rows);
  }

  /** @throws SpoonError `not-found`, `integrity-failure` */
  async byId(userId: string, id: string): Promise<StoredJob> {
    const row = await this.#parts.store.db
      .selectFrom('jobs')
      .selectAll()
      .where('user_id', '=', userId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) throw new SpoonError('not-found');
    return this.#open(row);
  }

  /** From now on the box may know of it. */
  async markRunning(id: string, startedMs: number): Promise<void> {
    await this.#parts.store.db
      .updateTable('jobs')
      .set({ state: 'running', started_ms: startedMs })
      .where('id', '=', id)
      .execute();
  }

  async markEnded(
    { userId, id }: Pick<StoredJob, 'userId' | 'id'>,
    { state, endedMs, end, diff }: { state: EndedJobState; endedMs: number; end: StoredEnd; diff: Buffer },
  ): Promise<void> {
    const { store, keyring } = this.#parts;
    const end_enc = await keyring.seal(contextOf(userId, id, 'end'), Buffer.from(JSON.stringify(end)));
    const part = diff.length === 0 ? undefined : await this.#seal({ userId, id }, 'diff', { start: 0, bytes: diff });
    await store.transaction(async (trx) => {
      await trx.updateTable('jobs').set({ state, ended_ms: endedMs, end_enc }).where('id', '=', id).execute();
      if (part !== undefined) await trx.insertInto('job_parts').values(part).execute();
    });
  }

  /** Forgets what has ended. @returns which @param ids default: all of the user's */
  async remove(userId: string, ids?: readonly string[]): Promise<string[]> {
    return this.#parts.store.transaction(async (trx) => {
      let query = trx
        .selectFrom('jobs')
        .select('id')
        .where('user_id', '=', userId)
        .where('state', 'not in', [...unfinished]);
      if (ids !== undefined) query = query.where('id', 'in', [...ids]);
      const found = (await query.execute()).map(({ id }) => id);
      if (found.length > 0) await trx.deleteFrom('jobs').where('id', 'in', found).execute();
      return found;
    });
  }

  /** Writes a part of the log, in the place of a shorter one of the same start; `totalBytes` counts all output so far. */
  async writeLog(
    of: Pick<StoredJob, 'userId' | 'id'>,
    { part, totalBytes, drop }: { part: Part; totalBytes: number; drop?: { from: number; to: number } | undefined },
  ): Promise<void> {
    const row = await this.#seal(of, 'log', part);
    await this.#parts.store.transaction(async (trx) => {
      await trx
        .insertInto('job_parts')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['job_id', 'kind', 'start_at']).doUpdateSet({ length: row.length, blob: row.blob }),
        )
        .execute();
      await trx.updateTable('jobs').set({ output_bytes: totalBytes }).where('id', '=', of.id).execute();
      if (drop === undefined) return;
      await trx
        .deleteFrom('job_parts')
        .where('job_id', '=', of.id)
        .where('kind', '=', 'log')
        .where('start_at', '>=', drop.from)
        .where(({ eb, ref }) => eb(eb(ref('start_at'), '+', ref('length')), '<=', drop.to))
        .execute();
    });
  }

  /** The part of the log that holds `from`, or else the next one. @throws SpoonError `integrity-failure` */
  async logPart(of: Pick<StoredJob, 'userId' | 'id'>, from: number): Promise<Part | undefined> {
    const row = await this.#parts.store.db
      .selectFrom('job_parts')
      .selectAll()
      .where('job_id', '=', of.id)
      .where('kind', '=', 'log')
      .where(({ eb, ref }) => eb(eb(ref('start_at'), '+', ref('length')), '>', from))
      .orderBy('start_at')
      .limit(1)
      .executeTakeFirst();
    return row && this.#openPart(of, row);
  }

  /** Empty where nothing changed. @throws SpoonError `integrity-failure` */
  async diff(of: Pick<StoredJob, 'userId' | 'id'>): Promise<Buffer> {
    const row = await this.#parts.store.db
      .selectFrom('job_parts')
      .selectAll()
      .where('job_id', '=', of.id)
      .where('kind', '=', 'diff')
      .executeTakeFirst();
    return row === undefined ? Buffer.alloc(0) : (await this.#openPart(of, row)).bytes;
  }

  async #seal(
    { userId, id }: Pick<StoredJob, 'userId' | 'id'>,
    kind: JobPartRow['kind'],
    { start, bytes }: Part,
  ): Promise<JobPartRow> {
    const blob = await this.#parts.keyring.seal(
      contextOf(userId, id, `${kind}/${start}`, bytes.length),
      await compress(bytes),
    );
    return { job_id: id, kind, start_at: start, length: bytes.length, blob };
  }

  async #openPart({ userId, id }: Pick<StoredJob, 'userId' | 'id'>, row: JobPartRow): Promise<Part> {
    const context = contextOf(userId, id, `${row.kind}/${row.start_at}`, row.length);
    const bytes = await decompress(await this.#parts.keyring.open(context, row.blob), {
      maxOutputLength: maxPartBytes,
    });
    return { start: row.start_at, bytes };
  }

  async #openAll(rows: readonly JobRow[]): Promise<StoredJob[]> {
    const jobs: StoredJob[] = [];
    for (const row of rows) {
      try {
        jobs.push(await this.#open(row));
      } catch (error) {
        if (!(error instanceof SpoonError) || error.code !== 'integrity-failure') throw error;
        this.#parts.onDamage({ userId: row.user_id, error });
      }
    }
    return jobs;
  }

  async #open(row: JobRow): Promise<StoredJob> {
    const { id, user_id: userId, state, created_ms: createdMs, started_ms: startedMs, ended_ms: endedMs } = row;
    const head = await this.#openJson(JobHead, contextOf(userId, id, 'head'), row.head_enc);
    const end = row.end_enc && (await this.#openJson(StoredEnd, contextOf(userId, id, 'end'), row.end_enc));
    return { ...head, id, userId, state, createdMs, startedMs, endedMs, outputBytes: row.output_bytes, end };
  }

  async #openJson<T extends TSchema>(
    schema: T,
    context: ReturnType<typeof contextOf>,
    sealed: Uint8Array,
  ): Promise<Static<T>> {
    const value: unknown = JSON.parse(Buffer.from(await this.#parts.keyring.open(context, sealed)).toString('utf8'));
    if (!Check(schema, value)) throw new SpoonError('integrity-failure');
    return value;
  }
}

async function keptBytesOf(trx: Transaction<Tables>, userId: string): Promise<Map<string, number>> {
  const rows = await trx
    .selectFrom('job_parts')
    .innerJoin('jobs', 'jobs.id', 'job_parts.job_id')
    .where('jobs.user_id', '=', userId)
    .groupBy('job_parts.job_id')
    .select(({ fn, ref }) => ['job_parts.job_id as id', fn.sum<number>(ref('job_parts.length')).as('bytes')])
    .execute();
  return new Map(rows.map(({ id, bytes }) => [id, bytes]));
}

/** A part's length is its version: it only grows, and one from before does not open in its place. */
function contextOf(ownerId: string, jobId: string, part: string, version = 1) {
  return { ownerId, kind: 'file', objectId: `job/${jobId}/${part}`, version, mode: 0 } as const;
}
