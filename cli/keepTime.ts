import { UsageError } from './commandLine.ts';

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Until when: `90m`, `4h`, `1h30m`, `2d` from now; `18:30` today, or tomorrow where that is over; a date with a time. In the
 * time zone of this machine. @throws UsageError
 */
export function parseKeepTime(text: string, now: Date): number {
  const spans = [...text.matchAll(/(\d{1,4})([mhd])/g)];
  if (spans.length > 0 && spans.map(([whole]) => whole).join('') === text) {
    return now.getTime() + spans.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0);
  }
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (clock !== null) {
    const at = new Date(now);
    at.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
    if (at <= now) at.setDate(at.getDate() + 1);
    return at.getTime();
  }
  const date = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date)) throw new UsageError(`"${text}" is no time. Give it as 4h, 18:30 or 2030-01-31T09:00.`);
  return date;
}
