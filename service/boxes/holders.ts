import type { TerminalStates } from '../../protocol/boxd.ts';
import type { Holder } from '../../protocol/boxes.ts';

/** How long things have lasted, counted in ticks of a monotonic clock: a jump of the wall clock changes nothing. */
export interface IdleState {
  /** Without a holder. */
  readonly idleMs: number;
  /** Per terminal: without a viewer. */
  readonly detachedMs: ReadonlyMap<string, number>;
}

export interface IdleRules {
  /** Without a holder for so long, a box stops. */
  readonly idleMs: number;
  /** So long a detached terminal with a running program holds its box (decision 8). */
  readonly detachedMs: number;
  /** The most that one tick may count, however long the machine slept. */
  readonly maxStepMs: number;
}

export const notIdle: IdleState = { idleMs: 0, detachedMs: new Map() };

/**
 * Who holds a box: viewers, programs in detached terminals for their time, commands, what was started in it from outside, a
 * pin. A bare idle shell does not.
 */
export function holdersOf(
  states: TerminalStates,
  state: IdleState,
  rules: IdleRules,
  pinnedUntilMs?: number,
): Holder[] {
  const holders: Holder[] = [];
  for (const { id, title, viewers, busy } of states.terminals) {
    if (viewers > 0) holders.push({ kind: 'viewer', id, label: title });
    else if (busy && (state.detachedMs.get(id) ?? 0) < rules.detachedMs) {
      holders.push({ kind: 'terminal', id, label: title });
    }
  }
  if (states.commands > 0) {
    holders.push({
      kind: 'command',
      id: 'commands',
      label: states.commands === 1 ? 'a command' : `${states.commands} commands`,
    });
  }
  if ((states.fromOutside ?? 0) > 0) {
    holders.push({ kind: 'command', id: 'outside', label: 'VS Code in its container, or another docker exec' });
  }
  for (const { id, thread } of states.jobs ?? []) holders.push({ kind: 'job', id, label: thread });
  if (pinnedUntilMs !== undefined) {
    holders.push({ kind: 'pin', id: 'pin', label: `until ${new Date(pinnedUntilMs).toISOString()}` });
  }
  return holders;
}

/**
 * One tick.
 * @param states what boxd said, or undefined when it gave no answer: a box that never answers is idle too
 */
export function advance(
  state: IdleState,
  states: TerminalStates | undefined,
  elapsedMs: number,
  rules: IdleRules,
  pinnedUntilMs?: number,
): IdleState {
  const stepMs = Math.min(Math.max(elapsedMs, 0), rules.maxStepMs);
  if (states === undefined) return { ...state, idleMs: state.idleMs + stepMs };
  const detachedMs = new Map<string, number>();
  for (const { id, viewers } of states.terminals) {
    if (viewers === 0) detachedMs.set(id, (state.detachedMs.get(id) ?? 0) + stepMs);
  }
  const counted = { idleMs: state.idleMs, detachedMs };
  const held = holdersOf(states, counted, rules, pinnedUntilMs).length > 0;
  return { idleMs: held ? 0 : state.idleMs + stepMs, detachedMs };
}

/** How long until it may stop if nothing takes hold of it; 0 when it may now. */
export function stopsInMs(state: IdleState, rules: IdleRules): number {
  return Math.max(0, rules.idleMs - state.idleMs);
}
