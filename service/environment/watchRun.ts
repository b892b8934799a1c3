import { setTimeout as delay } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';
import type { RepositoryRun } from '../../protocol/repository.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { brokenRun } from './endedRuns.ts';
import { plainRun } from './plainLog.ts';

/** So that a box that has news at once, always, does not keep the service busy. */
const restMs = 50;

/** A run that is followed just now. */
export interface LiveRun {
  run: RepositoryRun;
  /** Whose commit it is going to be; boxd gives a run up for another repository without a word. */
  of: { readonly url: string; readonly ref: string | null };
  /** What boxd says of an earlier step is of the run that this one has replaced. */
  fromStep: number;
  /** What follows its end is still being done; whatever begins now is another one. */
  hasEnded: boolean;
  readonly box: RunningBox;
  readonly done: Promise<RepositoryRun>;
}

/** To its end, or that of its box. @param tell what is known of it has changed */
export async function watchRun(live: LiveRun, tell: () => Promise<unknown>): Promise<RepositoryRun> {
  const { repository } = live.box.boxd;
  let step = live.fromStep;
  for (;;) {
    try {
      const next = await repository.watch(step);
      if (next.step >= live.fromStep) {
        if (next.run === null) return brokenRun(live.run, 'The run was forgotten by the box.');
        const run = plainRun(next.run);
        if (run.state !== 'running') return run;
        live.run = run;
        if (next.step !== step) await tell();
        step = next.step;
      }
      await delay(restMs);
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      const why = `The box ended while this ran. ${error.title} It runs again at its next start.`;
      return brokenRun(live.run, why);
    }
  }
}
