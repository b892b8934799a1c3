import { UsageError } from './commandLine.ts';

const unitMs = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const;

/**
 * A time that is over, as people write it: `30m`, `24h` or `7d` ago; a day, from its beginning here; a day and a time of it.
 * @returns Unix milliseconds @throws UsageError
 */
export function parsePastTime(text: string, nowMs: number, option: string): number {
  const ago = /^(\d{1,5})([mhd])$/.exec(text);
  if (ago !== null) return nowMs - Number(ago[1]) * unitMs[ago[2] as keyof typeof unitMs];
  const day = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (day !== null) {
    const [year = 0, month = 0, date = 0, hour = 0, minute = 0, second = 0] = day
      .slice(1)
      .map((part) => Number(part ?? 0));
    const found = new Date(year, month - 1, date, hour, minute, second);
    // One that there is: Date takes 31 February for 3 March.
    if (found.getMonth() === month - 1 && found.getDate() === date && hour < 24 && minute < 60 && second < 60)
      return found.getTime();
  }
  throw new UsageError(`${option} takes 30m, 24h or 7d, a day such as 2030-01-31, or 2030-01-31T09:00.`);
}
