import { jobLogHeadBytes, jobLogTailBytes } from '../../protocol/limits.ts';
import type { JobRecords, StoredJob } from './jobRecords.ts';
import type { LogReader, Part } from './keptLog.ts';

/** A part is written anew while it grows; larger ones compress better, and are what a viewer that starts late reads. */
const partBytes = 256 * 1024;
/** How much of a log a crash of the service may cost where boxd has lost it too. */
const flushMs = 1_000;

/**
 * The log of a running job: its beginning and its end are kept, in parts; viewers read what is new from memory, and what is older
 * from the store. Memory does not grow with the log.
 */
export class JobLog implements LogReader {
  readonly #records: Pick<JobRecords, 'writeLog' | 'logPart'>;
  readonly #job: Pick<StoredJob, 'userId' | 'id'>;
  readonly #onError: (error: unknown) => void;
  /** The last whole part, for viewers that are a little behind. */
  #before: Part | undefined;
  #chunks: Buffer[] = [];
  #start: number;
  #end: number;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #changed = Promise.withResolvers<void>();

  /** @param end of what is stored already @param onError what could not be stored is still shown, and tried again */
  constructor(
    records: Pick<JobRecords, 'writeLog' | 'logPart'>,
    job: Pick<StoredJob, 'userId' | 'id' | 'outputBytes'>,
    onError: (error: unknown) => void,
  ) {
    this.#records = records;
    this.#job = job;
    this.#start = job.outputBytes;
    this.#end = job.outputBytes;
    this.#onError = onError;
  }

  /** Bytes of all output so far. */
  get end(): number {
    return this.#end;
  }

  /** @param from later than {@link end} where some in between is lost */
  async append({ start, bytes }: Part): Promise<void> {
    if (bytes.length === 0) return;
    if (start > this.#end) await this.#closePart(start);
    this.#chunks.push(bytes);
    this.#end = start + bytes.length;
    this.#tell();
    if (this.#end - this.#start >= partBytes) await this.#closePart(this.#end);
    else this.#timer ??= setTimeout(() => void this.flush(), flushMs);
  }

  /** Everything is stored when this resolves. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bytes = this.#joined();
    if (bytes.length > 0) await this.#write({ start: this.#start, bytes }, this.#end);
  }

  /** From `from` on, or from the next byte that is kept; undefined at the end. */
  async read(from: number): Promise<Part | undefined> {
    if (from >= this.#end) return undefined;
    if (from >= this.#start) return { start: this.#start, bytes: this.#joined() };
    const before = this.#before;
    if (before !== undefined && from >= before.start && from < before.start + before.bytes.length) return before;
    return (await this.#records.logPart(this.#job, from)) ?? this.read(this.#start);
  }

  /** Resolves when there is more to read, or {@link wake} is called. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  wake(): void {
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #closePart(nextStart: number): Promise<void> {
    const bytes = this.#joined();
    const part = { start: this.#start, bytes };
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (bytes.length > 0) await this.#write(part, this.#end);
    this.#before = part;
    this.#chunks = [];
    this.#start = nextStart;
  }

  /** Once, however many ask. */
  #joined(): Buffer {
    const [first, ...more] = this.#chunks;
    if (first === undefined) return Buffer.alloc(0);
    const bytes = more.length === 0 ? first : Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    return bytes;
  }

  #write(part: Part, totalBytes: number): Promise<void> {
    const to = totalBytes - jobLogTailBytes;
    const drop = to > jobLogHeadBytes ? { from: jobLogHeadBytes, to } : undefined;
    this.#writing = this.#writing
      .then(() => this.#records.writeLog(this.#job, { part, totalBytes, drop }))
      .catch(this.#onError);
    return this.#writing;
  }
}
