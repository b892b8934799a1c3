const firstCapacityBytes = 16 * 1024;

/**
 * The last bytes of a stream, by their offset from its start. Starts small and doubles up to `maxBytes`: most terminals
 * never fill it, and twenty idle ones should not cost 5 MiB.
 */
export class ByteRing {
  readonly #maxBytes: number;
  #bytes: Buffer;
  #end = 0;
  #start = 0;

  /** @param maxBytes a power of two from 16 KiB on */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(firstCapacityBytes, maxBytes));
  }

  /** Offset of the oldest byte that is still here. */
  get start(): number {
    return this.#start;
  }

  /** Offset of the next byte to come. */
  get end(): number {
    return this.#end;
  }

  write(chunk: Uint8Array): void {
    this.#makeRoom(chunk.length);
    const capacity = this.#bytes.length;
    const kept = chunk.length > capacity ? chunk.subarray(chunk.length - capacity) : chunk;
    const at = (this.#end + chunk.length - kept.length) % capacity;
    const untilWrap = Math.min(kept.length, capacity - at);
    this.#bytes.set(untilWrap === kept.length ? kept : kept.subarray(0, untilWrap), at);
    if (untilWrap < kept.length) this.#bytes.set(kept.subarray(untilWrap), 0);
    this.#end += chunk.length;
    this.#start = Math.max(this.#start, this.#end - capacity);
  }

  /** A copy of the bytes from `from` up to, not with, `to`; both within `start` and `end`. */
  copy(from: number, to: number): Buffer {
    return this.copyInto(Buffer.allocUnsafe(to - from), from, to);
  }

  /** As {@link copy}, into the front of `target`. @returns the part of it that was filled */
  copyInto(target: Buffer, from: number, to: number): Buffer {
    if (from < this.#start || to > this.#end || from > to) throw new RangeError(`ring: no bytes ${from} to ${to}`);
    const capacity = this.#bytes.length;
    const at = from % capacity;
    const out = target.subarray(0, to - from);
    const untilWrap = Math.min(out.length, capacity - at);
    this.#bytes.copy(out, 0, at, at + untilWrap);
    if (untilWrap < out.length) this.#bytes.copy(out, untilWrap, 0, out.length - untilWrap);
    return out;
  }

  #makeRoom(bytes: number): void {
    const wanted = Math.min(this.#maxBytes, this.#end - this.#start + bytes);
    if (wanted <= this.#bytes.length) return;
    let capacity = this.#bytes.length;
    while (capacity < wanted) capacity *= 2;
    const held = this.copy(this.#start, this.#end);
    const grown = Buffer.allocUnsafeSlow(capacity);
    const at = this.#start % capacity;
    const untilWrap = Math.min(held.length, capacity - at);
    held.copy(grown, at, 0, untilWrap);
    if (untilWrap < held.length) held.copy(grown, 0, untilWrap);
    this.#bytes = grown;
  }
}
