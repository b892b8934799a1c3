import type { Box, BoxDifference, BoxState, Holder, StageReport } from '../../protocol/boxes.ts';

export interface BoxFacts {
  readonly state: BoxState;
  readonly engine: Box['engine'];
  readonly username: string;
  readonly startedMs: number | undefined;
  /** Undefined where the box did not say what runs in it. */
  readonly holders: Holder[] | undefined;
  /** How long it may go on without a holder. */
  readonly stopsInMs: number;
  readonly stages: StageReport[];
  readonly silentMs: number | undefined;
  readonly pinnedUntilMs: number | undefined;
  readonly outdated: BoxDifference[];
  readonly detail: string | undefined;
}

/** A box as its user sees it. */
export function describeBox(facts: BoxFacts): Box {
  const { state, engine, username, startedMs, holders, stopsInMs, stages, silentMs, pinnedUntilMs } = facts;
  return {
    state,
    engine,
    username,
    home: `/home/${username}`,
    startedMs: startedMs ?? null,
    holders: holders ?? [],
    stopsAtMs: holders?.length === 0 ? Math.round(Date.now() + stopsInMs) : null,
    stages,
    ...(silentMs === undefined ? {} : { silentMs: Math.round(silentMs) }),
    ...(pinnedUntilMs === undefined ? {} : { pinnedUntilMs }),
    ...(facts.outdated.length === 0 ? {} : { outdated: facts.outdated }),
    ...(facts.detail === undefined ? {} : { detail: facts.detail }),
  };
}
