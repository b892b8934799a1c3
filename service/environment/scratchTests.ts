import { setTimeout as delay } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';
import { plainLog } from '../../protocol/plainText.ts';
import type { PreviewRepositoryRequest, RepositoryRun } from '../../protocol/repository.ts';
import type { HomeChanges, ScratchTest } from '../../protocol/scratch.ts';
import type { BoxUser, RunningBox } from '../boxes/boxes.ts';
import { InTurn } from '../boxes/inTurn.ts';
import { rejectedBy } from '../boxes/rejectedBy.ts';
import type { ScratchBoxes } from '../boxes/scratchBoxes.ts';
import type { DotfilesRepository } from './dotfilesRepository.ts';
import type { LiveOverlay } from './liveOverlay.ts';
import { plainPath, plainRun } from './plainLog.ts';

export interface ScratchTestsParts {
  readonly boxes: Pick<ScratchBoxes, 'withHome' | 'isGone'>;
  readonly repository: Pick<DotfilesRepository, 'planFor'>;
  readonly overlay: Pick<LiveOverlay, 'applyTo'>;
  /** What of a home is copied at most. */
  readonly maxBytes: number;
  /** After which a test is ended, whatever its box says. */
  readonly maxMs: number;
  readonly onError: (error: unknown, userId: string) => void;
}

/** Each takes as much of the machine as a box. */
const maxRunning = 4;
/** So that a box that has news at once, always, does not keep the service busy. */
const restMs = 50;
/** A test that was ended early has the log that its box gives in this time. */
const lastLogMs = 2_000;

interface LiveTest {
  test: ScratchTest;
  /** What the box has printed; while it runs, it is asked. */
  log: string;
  box: RunningBox | undefined;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/**
 * Clone, setup and overlay in a throw-away box on a copy of the home, one test per user. The real home is mounted only while
 * nothing but Spoon's own runs, and read-only: what a setup does cannot get there. Results are kept until the service ends.
 */
export class ScratchTests {
  readonly #parts: ScratchTestsParts;
  readonly #tests = new Map<string, LiveTest>();
  readonly #turns = new InTurn();

  constructor(parts: ScratchTestsParts) {
    this.#parts = parts;
  }

  state(userId: string): ScratchTest | null {
    return this.#tests.get(userId)?.test ?? null;
  }

  /** Begins one, unless one is under way. @throws SpoonError `repository-none`, `not-found`, `too-many-requests`; as a preview */
  start(user: BoxUser, wanted: PreviewRepositoryRequest): Promise<ScratchTest> {
    return this.#turns.run(user.userId, () => this.#start(user, wanted));
  }

  async #start(user: BoxUser, wanted: PreviewRepositoryRequest): Promise<ScratchTest> {
    const { userId } = user;
    const running = [...this.#tests.values()].filter(({ test }) => test.state === 'running').length;
    const before = this.#tests.get(userId);
    if (before?.test.state === 'running') return before.test;
    if (running >= maxRunning) {
      const why = 'As many setups are tested as this service takes at once. Try again when one has ended.';
      throw new SpoonError('too-many-requests', why);
    }
    const plan = await this.#parts.repository.planFor(userId, wanted);
    const abort = new AbortController();
    const live: LiveTest = {
      test: {
        state: 'running',
        phase: 'copying',
        startedMs: Date.now(),
        endedMs: null,
        isRemoved: false,
        withSecrets: plan.isAgreed,
        ...{ copied: null, run: null, home: null },
      },
      log: '',
      box: undefined,
      abort,
      done: Promise.resolve().then(() => this.#perform(user, live, plan)),
    };
    this.#tests.set(userId, live);
    return live.test;
  }

  /** Resolves when its box and copy are gone, or cannot be removed yet. */
  async cancel(userId: string): Promise<ScratchTest | null> {
    const live = this.#tests.get(userId);
    live?.abort.abort();
    await live?.done;
    return this.state(userId);
  }

  async log(userId: string): Promise<string> {
    const live = this.#tests.get(userId);
    if (live?.box === undefined) return live?.log ?? '';
    return textOf(await live.box.boxd.repository.log());
  }

  /** Ends all: nobody would come back for what they find. */
  async close(): Promise<void> {
    await Promise.all([...this.#tests.keys()].map((userId) => this.cancel(userId)));
  }

  /** Never rejects. */
  async #perform(user: BoxUser, live: LiveTest, plan: Plan): Promise<void> {
    const { maxMs, maxBytes, boxes, onError } = this.#parts;
    const deadline = AbortSignal.timeout(maxMs);
    const signal = AbortSignal.any([live.abort.signal, deadline]);
    const put = (changes: Partial<ScratchTest>) => {
      live.test = { ...live.test, ...changes };
    };
    let end: Partial<ScratchTest>;
    try {
      const run = await boxes.withHome(user, async ({ within }) => {
        const copied = await within({ seesHome: true, signal }, ({ boxd }) => boxd.home.copy(maxBytes, signal));
        put({ phase: 'setup', copied });
        const done = await within({ seesHome: false, signal }, (box) => this.#run(box, { live, plan, put, signal }));
        put({ phase: 'comparing' });
        const home = await within({ seesHome: true, signal }, ({ boxd }) => boxd.home.compare(copied.endedMs, signal));
        put({ phase: 'removing', home: plainChanges(home) });
        return done;
      });
      end = { state: run.state === 'running' ? 'failed' : run.state };
    } catch (error) {
      if (live.abort.signal.aborted) end = { state: 'cancelled' };
      else if (deadline.aborted) {
        end = { state: 'failed', detail: `It took longer than ${Math.round(maxMs / 60_000)} minutes.` };
      } else {
        if (!(error instanceof SpoonError)) onError(error, user.userId);
        const why = error instanceof SpoonError ? error.message : 'Something in the service went wrong.';
        end = { state: 'failed', detail: why.slice(0, 2048) };
      }
    }
    put({ phase: 'ended', endedMs: Date.now(), isRemoved: boxes.isGone(user), ...end });
  }

  async #run(box: RunningBox, { live, plan, put, signal }: RunParts): Promise<RepositoryRun> {
    const { repository } = box.boxd;
    live.box = box;
    try {
      let { step, run } = await unlessOver(repository.start(await plan.request(box)), signal);
      while (run !== null) {
        put({ run: plainRun(run) });
        if (run.state !== 'running') break;
        await delay(restMs, undefined, { signal });
        ({ step, run } = await unlessOver(repository.watch(step), signal));
      }
      if (run === null) throw new SpoonError('box-misbehaved', 'The run was forgotten by the box.');
      const written = await unlessOver(this.#parts.overlay.applyTo(box), signal);
      const done = plainRun({ ...run, stages: [...run.stages, ...written].slice(0, 8) });
      put({ run: done });
      return done;
    } finally {
      const inTime = AbortSignal.timeout(lastLogMs);
      live.log = await unlessOver(repository.log(), inTime).then(textOf, () => '');
      live.box = undefined;
    }
  }
}

interface RunParts {
  readonly live: LiveTest;
  readonly plan: Plan;
  readonly put: (changes: Partial<ScratchTest>) => void;
  readonly signal: AbortSignal;
}

/** Nothing that a box says, or does not say, keeps a test from its end. @throws the signal's reason, at once */
function unlessOver<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([answer, rejectedBy(signal)]);
}

type Plan = Awaited<ReturnType<DotfilesRepository['planFor']>>;

function textOf(bytes: Uint8Array): string {
  return plainLog(Buffer.from(bytes).toString('utf8'));
}

function plainChanges({ changes, moreChanges }: HomeChanges): HomeChanges {
  return { changes: changes.map(({ path, change }) => ({ path: plainPath(path), change })), moreChanges };
}
