const units: readonly [unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
/** Longer ago, the date says more. */
const maxDays = 14;

/** `3 minutes ago`, `yesterday`, `in 5 days`; a date when it is far. */
export function timeText(thenMs: number, nowMs: number, locale?: string): string {
  const away = thenMs - nowMs;
  if (Math.abs(away) > maxDays * 86_400_000) {
    return new Date(thenMs).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
  }
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const [unit, ms] = units.find(([, size]) => Math.abs(away) >= size) ?? (['second', 1000] as const);
  return format.format(Math.round(away / ms), unit);
}
