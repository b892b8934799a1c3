/**
 * XSalsa20 and Poly1305 as NaCl's `crypto_box` puts them together, from the specifications of D. J. Bernstein
 * (https://cr.yp.to/snuffle/xsalsa-20110204.pdf, https://cr.yp.to/mac/poly1305-20050329.pdf), slow and plain: a second opinion
 * on libsodium, for tests.
 */

const sigma = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;
const quarters = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const;

/** 20 rounds over key and 16 bytes of input; as Salsa20 (`add`) all 64 bytes, as HSalsa20 the 32 that stand for a key. */
function core(key: Uint8Array, input: Uint8Array, add: boolean): Uint8Array<ArrayBuffer> {
  const words = (bytes: Uint8Array): number[] => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4, true));
  };
  const [k, n] = [words(key), words(input)];
  const start = Uint32Array.from(
    [sigma[0], ...k.slice(0, 4), sigma[1], ...n, sigma[2], ...k.slice(4), sigma[3]].map(Number),
  );
  const x = start.slice();
  const at = (index: number): number => x[index] ?? 0;
  const mix = (to: number, a: number, b: number, by: number): void => {
    const sum = (at(a) + at(b)) >>> 0;
    x[to] = at(to) ^ ((sum << by) | (sum >>> (32 - by)));
  };
  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of quarters) {
      mix(b, a, d, 7);
      mix(c, b, a, 9);
      mix(d, c, b, 13);
      mix(a, d, c, 18);
    }
  }
  const chosen = add ? [...x.keys()] : [0, 5, 10, 15, 6, 7, 8, 9];
  const out = new Uint8Array(chosen.length * 4);
  const view = new DataView(out.buffer);
  for (const [place, index] of chosen.entries()) {
    view.setUint32(place * 4, add ? at(index) + (start[index] ?? 0) : at(index), true);
  }
  return out;
}

function poly1305(key: Uint8Array, message: Uint8Array): Uint8Array {
  const number = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let start = 0; start < message.length; start += 16) {
    const block = message.subarray(start, start + 16);
    sum = ((sum + number(block) + (1n << BigInt(8 * block.length))) * r) % ((1n << 130n) - 5n);
  }
  const tag = sum + number(key.subarray(16));
  return Uint8Array.from({ length: 16 }, (_, index) => Number((tag >> BigInt(8 * index)) & 0xffn));
}

/** `crypto_box_open_easy` after the key exchange. @param shared what X25519 gave @throws Error when the tag does not fit */
export function openBox(shared: Uint8Array, nonce: Uint8Array, box: Uint8Array): Uint8Array {
  const boxKey = core(shared, new Uint8Array(16), false);
  const key = core(boxKey, nonce.subarray(0, 16), false);
  const stream: number[] = [];
  for (let block = 0; stream.length < 32 + box.length; block++) {
    const input = new Uint8Array(16);
    input.set(nonce.subarray(16));
    new DataView(input.buffer).setUint32(8, block, true);
    stream.push(...core(key, input, true));
  }
  const sealed = box.subarray(16);
  if (Buffer.compare(poly1305(Uint8Array.from(stream.slice(0, 32)), sealed), box.subarray(0, 16)) !== 0) {
    throw new Error('the tag does not fit');
  }
  return sealed.map((byte, index) => byte ^ (stream[32 + index] ?? 0));
}
