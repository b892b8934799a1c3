import type { BoxLoad, BoxSummary } from '../../protocol/admin.ts';
import type { Box, Holder } from '../../protocol/boxes.ts';

/** Of a box, what is no content of its user: a holder's label is the title of a terminal or the name of a thread. */
export function toSummary({ username, state, startedMs, stopsAtMs, holders }: Box, load?: BoxLoad): BoxSummary {
  const counts = new Map<Holder['kind'], number>();
  for (const { kind } of holders) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return {
    username,
    state,
    startedMs,
    stopsAtMs,
    holders: [...counts].map(([kind, count]) => ({ kind, count })),
    ...(load === undefined ? {} : { load }),
  };
}
