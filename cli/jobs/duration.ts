import { UsageError } from '../commandLine.ts';

const units = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** `90s`, `30m`, `2h` in milliseconds. @throws UsageError */
export function durationOf(text: string): number {
  const match = /^(\d{1,6})([smh])$/.exec(text);
  if (match === null) throw new UsageError(`"${text}" is no duration. Give it as 90s, 30m or 2h.`);
  return Number(match[1]) * units[match[2] as keyof typeof units];
}

/** `1 h 5 min`, the two largest units. */
export function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
}
