/** One row of the table of goals: what Spoon takes against a reference of the same run. */
export interface Row {
  readonly name: string;
  readonly reference: string;
  /** Median of Spoon's values divided by the median of the reference's. */
  readonly ratio: number;
  readonly goal: number;
  readonly met: boolean;
  readonly spoon: Spread;
  readonly base: Spread;
  readonly unit: string;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Goal {
  readonly name: string;
  readonly reference: string;
  /** The ratio to reach; for throughput the least, for everything else the most. */
  readonly goal: number;
  readonly better: 'lower' | 'higher';
  readonly unit: string;
}

export interface Comparison extends Goal {
  readonly pairs: number;
  measureSpoon(round: number): Promise<number>;
  measureReference(round: number): Promise<number>;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted[middle - 1] ?? upper;
  return {
    median: sorted.length % 2 === 1 ? upper : (lower + upper) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/**
 * Measures A, B, A, B … and drops the first pair: only ratios of interleaved runs mean something on a shared machine.
 */
export async function compare(comparison: Comparison): Promise<Row> {
  const spoonValues: number[] = [];
  const baseValues: number[] = [];
  for (let round = 0; round <= comparison.pairs; round++) {
    const spoon = await comparison.measureSpoon(round);
    const base = await comparison.measureReference(round);
    if (round === 0) continue;
    spoonValues.push(spoon);
    baseValues.push(base);
  }
  return rowOf(comparison, spreadOf(spoonValues), spreadOf(baseValues));
}

export function rowOf({ name, reference, goal, better, unit }: Goal, spoon: Spread, base: Spread): Row {
  const ratio = spoon.median / base.median;
  const met = better === 'lower' ? ratio <= goal : ratio >= goal;
  return { name, reference, goal, unit, ratio, met, spoon, base };
}
