/** Some bytes of a log, by their offset from the beginning of all output. */
export interface Part {
  readonly start: number;
  readonly bytes: Buffer;
}

export interface LogReader {
  /** The part that holds `from`, or the next one that is kept; undefined at the end. */
  read(from: number): Promise<Part | undefined>;
}

/** What is kept of a log up to `end`; one that grows has no end of its own. */
export async function* wholeLog(log: LogReader, end: number): AsyncGenerator<Part> {
  for (let at = 0; at < end; ) {
    const part = await log.read(at);
    if (part === undefined) return;
    const next = cut(part, at);
    if (next.bytes.length === 0) return;
    yield next;
    at = next.start + next.bytes.length;
  }
}

/** What of a part follows `from`. */
export function cut({ start, bytes }: Part, from: number, maxBytes = Number.MAX_SAFE_INTEGER): Part {
  const at = Math.max(0, from - start);
  return { start: start + at, bytes: bytes.subarray(at, at + maxBytes) };
}

/** All of it in one piece, with a line of its own where some is left out. */
export async function inOnePiece(parts: AsyncIterable<Part>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let at = 0;
  for await (const { start, bytes } of parts) {
    if (start > at) pieces.push(Buffer.from(`\r\n… ${start - at} bytes omitted …\r\n`));
    pieces.push(bytes);
    at = start + bytes.length;
  }
  return Buffer.concat(pieces);
}
