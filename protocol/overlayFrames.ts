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
 * Cuts a stream into frames.
 * @param maxBytes the largest frame that is accepted
 * @throws SpoonError `request-invalid` for a larger frame or a stream that ends inside one
 */
export async function* readFrames(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let available = 0;
  const take = (length: number): Uint8Array => {
    const out = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const first = chunks[0];
      if (first === undefined) throw new Error('frame reader: fewer bytes than counted');
      const part = first.subarray(0, length - filled);
      out.set(part, filled);
      filled += part.length;
      if (part.length === first.length) chunks.shift();
      else chunks[0] = first.subarray(part.length);
    }
    available -= length;
    return out;
  };
  let expected: number | undefined;
  for await (const chunk of source) {
    chunks.push(chunk);
    available += chunk.length;
    for (;;) {
      if (expected === undefined) {
        if (available < headerBytes) break;
        const header = take(headerBytes);
        expected = new DataView(header.buffer).getUint32(0);
        if (expected > maxBytes) throw new SpoonError('request-invalid', `A frame of ${expected} bytes is too large.`);
      }
      if (available < expected) break;
      const payload = take(expected);
      expected = undefined;
      yield payload;
    }
  }
  chunks = [];
  if (available > 0 || expected !== undefined)
    throw new SpoonError('request-invalid', 'The stream ended inside a frame.');
}
