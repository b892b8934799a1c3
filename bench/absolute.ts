import type { Spread } from './ratio.ts';

/** One row with a goal in plain figures, as its users would feel it. What the machine itself takes stands beside it. */
export interface AbsoluteRow {
  readonly name: string;
  /** The most that the median of the rounds may be. */
  readonly goal: number;
  readonly met: boolean;
  readonly unit: string;
  readonly spoon: Spread;
  /** The same asked of something that does nothing but answer, in the same rounds: what no service here could beat. */
  readonly floor?: { readonly name: string; readonly spread: Spread };
  /** What explains the figure; none of it counts. */
  readonly details: readonly string[];
}

export function absoluteRow(row: Omit<AbsoluteRow, 'met'>): AbsoluteRow {
  return { ...row, met: row.spoon.median < row.goal };
}
