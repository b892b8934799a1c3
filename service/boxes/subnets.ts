/** Networks of boxes get their subnets here; /28 leaves 4096 of them, where Docker's own pools end at about 31. */
const pool = { base: toNumber('10.201.0.0'), bits: 16 };
const sliceBits = 28;
const sliceCount = 2 ** (sliceBits - pool.bits);
const sliceSize = 2 ** (32 - sliceBits);

/**
 * Free slices of the pool, lazily, starting at a place that depends on `seed`, so that two who look at once seldom meet.
 * @param taken subnets in use, as `a.b.c.d/n`; what is not IPv4 is ignored
 */
export function* freeSubnets(taken: readonly string[], seed: string): Generator<string> {
  const ranges = taken.map(rangeOf).filter((range) => range !== undefined);
  let start = 0;
  for (const character of seed) start = (start * 31 + (character.codePointAt(0) ?? 0)) % sliceCount;
  for (let count = 0; count < sliceCount; count++) {
    const first = pool.base + ((start + count) % sliceCount) * sliceSize;
    const last = first + sliceSize - 1;
    if (ranges.every((range) => last < range.first || first > range.last)) yield `${toText(first)}/${sliceBits}`;
  }
}

/** The host's own address in a network of ours: Docker gives its bridge the first. */
export function gatewayOf(subnet: string): string {
  return toText((rangeOf(subnet)?.first ?? 0) + 1);
}

function rangeOf(subnet: string): { first: number; last: number } | undefined {
  const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(subnet);
  const bits = Number(match?.[2]);
  if (match?.[1] === undefined || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  const first = Math.floor(toNumber(match[1]) / size) * size;
  return { first, last: first + size - 1 };
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
