import { SpoonError } from './errors.ts';

/**
 * The body of `POST /v1/overlay/apply`: frames of `u32 BE length, bytes`. The first is JSON (`OverlayApply`); then, for
 * each entry whose bytes are sent, one frame with the path and one with the bytes.
 */

const headerBytes = 4;

export function frame(payload: Uint8Array): Uint8Array[] {
  const header = new Uint8Array(headerBytes);
  new DataView(header.buffer).setUint32(0, payload.length);
  return [header, payload];
}

/**
 * Cuts a stream into frames and hands over at once all that a chunk completes: a thousand small files would otherwise spend
 * more time in promises than in being written. A frame that lies inside one chunk is a view of it.
 * @param maxBytes the largest frame that is accepted
 * @throws SpoonError `request-invalid` for a larger frame or a stream that ends inside one
 */
export async function* readFrameBatches(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array[]> {
  const cutter = new FrameCutter(maxBytes);
  for await (const chunk of source) {
    const frames = cutter.cut(chunk);
    if (frames.length > 0) yield frames;
  }
  if (cutter.pendingBytes > 0) throw new SpoonError('request-invalid', 'The stream ended inside a frame.');
}

class FrameCutter {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #available = 0;
  #expected: number | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of a frame that has begun, its header counted. */
  get pendingBytes(): number {
    return this.#available + (this.#expected === undefined ? 0 : headerBytes);
  }

  cut(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk);
    this.#available += chunk.length;
    const frames: Uint8Array[] = [];
    for (;;) {
      if (this.#expected === undefined) {
        if (this.#available < headerBytes) return frames;
        const header = this.#take(headerBytes);
        const expected = new DataView(header.buffer, header.byteOffset).getUint32(0);
        if (expected > this.#maxBytes) {
          throw new SpoonError('request-invalid', `A frame of ${expected} bytes is too large.`);
        }
        this.#expected = expected;
      }
      if (this.#available < this.#expected) return frames;
      frames.push(this.#take(this.#expected));
      this.#expected = undefined;
    }
  }

  #take(length: number): Uint8Array {
    this.#available -= length;
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= length) {
      this.#advance(first, length);
      return first.subarray(0, length);
    }
    const out = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const [next] = this.#chunks;
      if (next === undefined) throw new Error('frame reader: fewer bytes than counted');
      const part = next.subarray(0, length - filled);
      out.set(part, filled);
      filled += part.length;
      this.#advance(next, part.length);
    }
    return out;
  }

  #advance(first: Uint8Array, bytes: number): void {
    if (bytes === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(bytes);
  }
}
