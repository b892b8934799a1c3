import { maxColumns, maxRows, minColumns, minRows } from './limits.ts';

/** Whole numbers within what a pseudo-terminal takes; anything else becomes the nearest, or 80 by 24. */
export function clampSize(size: { columns?: unknown; rows?: unknown }): { columns: number; rows: number } {
  const clamp = (value: unknown, low: number, high: number, fallback: number): number =>
    typeof value === 'number' && Number.isFinite(value) ? Math.min(high, Math.max(low, Math.trunc(value))) : fallback;
  return { columns: clamp(size.columns, minColumns, maxColumns, 80), rows: clamp(size.rows, minRows, maxRows, 24) };
}
