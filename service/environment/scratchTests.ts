import { SpoonError } from '../../protocol/errors.ts';
import { plainLog } from '../../protocol/plainText.ts';
import type { PreviewRepositoryRequest, RepositoryRun } from '../../protocol/repository.ts';
import type { HomeChanges, ScratchTest } from '../../protocol/scratch.ts';
import type { BoxUser, RunningBox } from '../boxes/boxes.ts';
import type { ScratchBoxes } from '../boxes/scratchBoxes.ts';
import type { DotfilesRepository } from './dotfilesRepository.ts';
import type { LiveOverlay } from './liveOverlay.ts';
import { plainPath, plainRun } from './plainLog.ts';

export interface ScratchTestsParts {
  readonly boxes: Pick<ScratchBoxes, 'withHome'>;
  readonly repository: Pick<DotfilesRepository, 'planFor'>;
  readonly overlay: Pick<LiveOverlay, 'applyTo'>;
  /** What of a home is copied at most. */
  readonly maxBytes: number;
  readonly onError: (error: unknown, userId: string) => void;
}

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

  constructor(parts: ScratchTestsParts) {
    this.#parts = parts;
  }

  state(userId: string): ScratchTest | null {
    return this.#tests.get(userId)?.test ?? null;
  }

  /** Begins one, unless one is under way. @throws SpoonError `repository-none`, `not-found`, as a preview */
  async start(user: BoxUser, wanted: PreviewRepositoryRequest): Promise<ScratchTest> {
    const { userId } = user;
    const before = this.#tests.get(userId);
    if (before?.test.state === 'running') return before.test;
    const plan = await this.#parts.repository.planFor(userId, wanted);
    const abort = new AbortController();
    const live: LiveTest = {
      test: {
        state: 'running',
        phase: 'copying',
        startedMs: Date.now(),
        endedMs: null,
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

  /** Resolves when its box and copy are gone. */
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
    const { signal } = live.abort;
    const put = (changes: Partial<ScratchTest>) => {
      live.test = { ...live.test, ...changes };
    };
    let end: Partial<ScratchTest>;
    try {
      const run = await this.#parts.boxes.withHome(user, async ({ within }) => {
        const { maxBytes } = this.#parts;
        const copied = await within({ seesHome: true, signal }, ({ boxd }) => boxd.home.copy(maxBytes, signal));
        put({ phase: 'setup', copied });
        const done = await within({ seesHome: false, signal }, (box) => this.#run(box, live, plan, put));
        put({ phase: 'comparing' });
        const home = await within({ seesHome: true, signal }, ({ boxd }) => boxd.home.compare(copied.endedMs, signal));
        put({ phase: 'removing', home: plainChanges(home) });
        return done;
      });
      end = { state: run.state === 'running' ? 'failed' : run.state };
    } catch (error) {
      if (signal.aborted) end = { state: 'cancelled', detail: 'It was cancelled. Its box and copy are gone.' };
      else {
        if (!(error instanceof SpoonError)) this.#parts.onError(error, user.userId);
        const why = error instanceof SpoonError ? error.message : 'Something in the service went wrong.';
        end = { state: 'failed', detail: why.slice(0, 2048) };
      }
    }
    put({ phase: 'ended', endedMs: Date.now(), ...end });
  }

  async #run(
    box: RunningBox,
    live: LiveTest,
    plan: Plan,
    put: (changes: Partial<ScratchTest>) => void,
  ): Promise<RepositoryRun> {
    const { signal } = live.abort;
    const { repository } = box.boxd;
    const cancel = () => void repository.cancel().catch(() => undefined);
    signal.addEventListener('abort', cancel, { once: true });
    live.box = box;
    try {
      let { step, run } = await repository.start(await plan.request(box));
      while (run !== null) {
        put({ run: plainRun(run) });
        if (run.state !== 'running') break;
        ({ step, run } = await repository.watch(step));
      }
      if (run === null) throw new SpoonError('box-misbehaved', 'The run was forgotten by the box.');
      live.log = textOf(await repository.log());
      signal.throwIfAborted();
      const written = await this.#parts.overlay.applyTo(box);
      const done = plainRun({ ...run, stages: [...run.stages, ...written].slice(0, 8) });
      put({ run: done });
      return done;
    } finally {
      live.box = undefined;
      signal.removeEventListener('abort', cancel);
    }
  }
}

type Plan = Awaited<ReturnType<DotfilesRepository['planFor']>>;

function textOf(bytes: Uint8Array): string {
  return plainLog(Buffer.from(bytes).toString('utf8'));
}

function plainChanges({ changes, moreChanges }: HomeChanges): HomeChanges {
  return { changes: changes.map(({ path, change }) => ({ path: plainPath(path), change })), moreChanges };
}
