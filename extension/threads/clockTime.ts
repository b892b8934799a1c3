import type { Box } from '../../protocol/boxes.ts';

/** `23:51` as the person's own clock says it, with the day where it is another one. */
export function inClockTime(time: Date, now: Date): string {
  const clock = { hour: '2-digit', minute: '2-digit' } as const;
  const isToday = time.toDateString() === now.toDateString();
  return time.toLocaleString([], isToday ? clock : { weekday: 'long', ...clock });
}

/** Until when its user keeps it up. */
export function keptUntil(box: Box | undefined): string | undefined {
  return box?.pinnedUntilMs === undefined ? undefined : inClockTime(new Date(box.pinnedUntilMs), new Date());
}
