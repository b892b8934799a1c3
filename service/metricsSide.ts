import type { BoxState, Holder } from '../protocol/boxes.ts';
import type { Boxes } from './boxes/boxes.ts';
import type { HttpSideParts } from './httpSideParts.ts';
import type { JobSide } from './jobSide.ts';
import { type BoxFigures, Metrics } from './metrics/metrics.ts';
import type { Store } from './store/database.ts';

/** A box that does not answer is counted without what is in it. */
const askMs = 1_000;
const states: readonly BoxState[] = ['stopped', 'starting', 'running', 'stopping', 'failed'];
const kinds: readonly Holder['kind'][] = ['viewer', 'terminal', 'command', 'job', 'pin'];

/** The figures of a service, and where they come from. */
export function createMetrics(
  parts: Pick<HttpSideParts, 'about' | 'data' | 'boxes' | 'log'> & { jobSide: JobSide; auditFailures: () => number },
): Metrics {
  const { about, log, jobSide, auditFailures } = parts;
  const { store, subscribers, backups } = parts.data;
  return new Metrics({
    ...about,
    auditFailures,
    boxes: () => figuresOf(parts.boxes.boxes, store),
    jobs: () => jobSide.runner.counts(),
    eventSockets: () => subscribers.count,
    storeBytes: () => store.bytes(),
    lastBackupMs: () => backups.lastMs(),
    onError: (error) => log.failure('metrics', error),
  });
}

/** What all boxes have together, for metrics: each that runs is asked. */
async function figuresOf(
  boxes: Pick<Boxes, 'stateOf' | 'allRunning' | 'describe'>,
  { db }: Store,
): Promise<BoxFigures> {
  const users = await db.selectFrom('users').select('id').execute();
  const byState = new Map(states.map((state) => [state, 0]));
  for (const { id } of users) addOne(byState, boxes.stateOf(id));
  const holders = new Map(kinds.map((kind) => [kind, 0]));
  const ofBoxes = await Promise.all(
    boxes.allRunning().map(async ({ user, boxd, pulse }) => {
      for (const { kind } of (await boxes.describe(user)).holders) addOne(holders, kind);
      const inside = pulse.isSilent
        ? undefined
        : await boxd.terminals(AbortSignal.timeout(askMs)).catch(() => undefined);
      return inside?.terminals ?? [];
    }),
  );
  const terminals = ofBoxes.flat();
  const viewers = terminals.reduce((sum, terminal) => sum + terminal.viewers, 0);
  return { states: byState, terminals: terminals.length, viewers, holders };
}

function addOne<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
