const lineFeed = 0x0a;

/** Ends whatever colours or escape sequence the lost bytes had begun. Takes the place of lost bytes, so that offsets hold. */
export const replayReset = '\x1b[0m';

interface Ring {
  readonly start: number;
  readonly end: number;
  copy(from: number, to: number): Uint8Array;
}

export interface ReplayStart {
  /** Offset that the viewer is told; the bytes of `replayReset`, when `reset`, count from here. */
  readonly offset: number;
  /** Bytes before `offset` that the viewer asked for and cannot have. */
  readonly missed: number;
  readonly reset: boolean;
  /** Offset of the first byte out of the ring. */
  readonly from: number;
}

/** Whether everything from what it asked for on is still held. */
export function isHeld(ring: Ring, asked: unknown): asked is number {
  return typeof asked === 'number' && Number.isSafeInteger(asked) && asked >= ring.start && asked <= ring.end;
}

/**
 * Where a viewer starts that takes no snapshots. From exactly the offset it asked for while that is still held; otherwise from the first whole
 * line, so that no half escape sequence or half letter is shown.
 * @param asked what the viewer sent: an offset, or anything at all
 */
export function replayStart(ring: Ring, asked: unknown): ReplayStart {
  if (isHeld(ring, asked)) return { offset: asked, missed: 0, reset: false, from: asked };
  if (ring.start === 0) return { offset: 0, missed: 0, reset: false, from: 0 };
  const from = firstWholeLine(ring);
  const offset = from - replayReset.length;
  return { offset, missed: Math.max(0, offset - (isLost(ring, asked) ? asked : 0)), reset: true, from };
}

function isLost(ring: Ring, asked: unknown): asked is number {
  return typeof asked === 'number' && Number.isSafeInteger(asked) && asked >= 0 && asked < ring.start;
}

/** Without a single line feed (a full-screen program): the first byte that can begin a letter in UTF-8. */
export function firstWholeLine(ring: Ring): number {
  const least = Math.max(ring.start, replayReset.length);
  const held = ring.copy(least, ring.end);
  const newline = held.indexOf(lineFeed);
  if (newline >= 0 && newline + 1 < held.length) return least + newline + 1;
  let skipped = 0;
  while (skipped < Math.min(3, held.length) && ((held[skipped] ?? 0) & 0xc0) === 0x80) skipped++;
  return least + skipped;
}
