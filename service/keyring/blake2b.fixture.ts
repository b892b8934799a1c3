/** BLAKE2b of RFC 7693 over big integers, slow and plain: a second opinion on libsodium's, for tests. */

const mask = (1n << 64n) - 1n;
// RFC 7693 section 2.6 and, as hex digits, section 2.7
const initial = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
];
const schedule = [
  '0123456789abcdef',
  'ea489fd61c02b753',
  'b8c052fdae367194',
  '7931dcbe265a40f8',
  '905724afe1bc683d',
  '2c6a0b834d75fe19',
  'c51fed4a0763928b',
  'db7ec13950f4862a',
  '6fe9b308c2d714a5',
  'a2847615fb9e3cd0',
].map((row) => [...row].map((digit) => Number.parseInt(digit, 16)));
const mixes = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;
const blockBytes = 128;

const at = (words: readonly bigint[], index: number | undefined): bigint => words[index ?? -1] ?? 0n;
const rotate = (word: bigint, by: bigint): bigint => ((word >> by) | (word << (64n - by))) & mask;

function compress(state: readonly bigint[], block: Uint8Array, counted: bigint, isLast: boolean): bigint[] {
  const view = new DataView(block.buffer, block.byteOffset, blockBytes);
  const message = Array.from({ length: 16 }, (_, index) => view.getBigUint64(index * 8, true));
  const v = [...state, ...initial];
  v[12] = at(v, 12) ^ (counted & mask);
  v[13] = at(v, 13) ^ (counted >> 64n);
  if (isLast) v[14] = at(v, 14) ^ mask;
  for (let round = 0; round < 12; round++) {
    const order = schedule[round % 10] ?? [];
    for (const [index, [a, b, c, d]] of mixes.entries()) {
      v[a] = (at(v, a) + at(v, b) + at(message, order[2 * index])) & mask;
      v[d] = rotate(at(v, d) ^ at(v, a), 32n);
      v[c] = (at(v, c) + at(v, d)) & mask;
      v[b] = rotate(at(v, b) ^ at(v, c), 24n);
      v[a] = (at(v, a) + at(v, b) + at(message, order[2 * index + 1])) & mask;
      v[d] = rotate(at(v, d) ^ at(v, a), 16n);
      v[c] = (at(v, c) + at(v, d)) & mask;
      v[b] = rotate(at(v, b) ^ at(v, c), 63n);
    }
  }
  return state.map((word, index) => word ^ at(v, index) ^ at(v, index + 8));
}

/** Keyed, 32 bytes out. @param key 1 to 64 bytes */
export function blake2b256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return blake2b(data, { key, length: 32 });
}

/** Of at least one byte where there is no key. */
export function blake2b(
  data: Uint8Array,
  { key = new Uint8Array(), length }: { key?: Uint8Array; length: number },
): Uint8Array {
  const keyBlock = key.length === 0 ? 0 : blockBytes;
  const input = new Uint8Array(keyBlock + data.length);
  input.set(key);
  input.set(data, keyBlock);
  let state = [...initial];
  state[0] = at(state, 0) ^ 0x01010000n ^ (BigInt(key.length) << 8n) ^ BigInt(length);
  for (let start = 0; start < input.length; start += blockBytes) {
    const block = new Uint8Array(blockBytes);
    block.set(input.subarray(start, start + blockBytes));
    const end = Math.min(start + blockBytes, input.length);
    state = compress(state, block, BigInt(end), end === input.length);
  }
  const out = new Uint8Array(64);
  const view = new DataView(out.buffer);
  for (const [index, word] of state.entries()) view.setBigUint64(index * 8, word, true);
  return out.slice(0, length);
}
