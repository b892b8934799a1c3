import type { StageReport } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { RepositoryRun } from '../../protocol/repository.ts';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type RunDraft = Mutable<RepositoryRun>;
type Outcome = Pick<StageReport, 'state'> & Partial<Pick<StageReport, 'detail' | 'exitCode'>>;

/** How often a stage that runs is told anew, for its duration, is the client's matter: it knows when it began. */
export class Stages {
  readonly #run: RunDraft;
  readonly #changed: () => void;

  constructor(run: RunDraft, changed: () => void) {
    this.#run = run;
    this.#changed = changed;
  }

  /**
   * One stage: told as running, then as what `work` says of it; an expected failure is its end and not thrown on.
   * @returns whether it ended well
   */
  async run(name: StageReport['name'], signal: AbortSignal, work: () => Promise<Outcome>): Promise<boolean> {
    const startedMs = Date.now();
    const start = performance.now();
    const index = this.#run.stages.length;
    const put = (outcome: Outcome): void => {
      const stage = { name, startedMs, durationMs: performance.now() - start, ...outcome };
      this.#run.stages = this.#run.stages.with(index, stage);
      this.#changed();
    };
    this.#run.stages = [...this.#run.stages, { name, startedMs, durationMs: 0, state: 'running' }];
    this.#changed();
    try {
      const outcome = await work();
      put(outcome);
      return outcome.state === 'ok';
    } catch (error) {
      if (signal.aborted) put({ state: 'cancelled', detail: 'It was cancelled.' });
      else if (error instanceof SpoonError) put({ state: 'failed', detail: error.message });
      else {
        put({ state: 'failed', detail: 'Something in Spoon went wrong.' });
        throw error;
      }
      return false;
    }
  }
}
