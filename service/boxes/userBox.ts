import type { TerminalStates } from '../../protocol/boxd.ts';
import type { Box, BoxDifference, BoxState, Holder, StageReport } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { describeBox } from './boxDescription.ts';
import { BoxdLink } from './boxdLink.ts';
import type { BoxHappening } from './boxHappening.ts';
import { endInWords, errorInWords, memoryKillInWords, notAdopted, withoutHostPaths } from './boxWords.ts';
import type { BoxEnd, EngineBox } from './engine.ts';
import { afterFailedStart } from './failedStart.ts';
import { advance, holdersOf, type IdleState, notIdle, stopsInMs } from './holders.ts';
import { InTurn } from './inTurn.ts';
import { openBox } from './openBox.ts';
import { differences } from './outdated.ts';
import { unansweringMs } from './patience.ts';
import type { BoxUser, RunningBox, StartingBox, Surroundings, Waiting } from './runningBox.ts';

const dialMs = 30_000;
const graceMs = 10_000;
const describeMs = 1_000;

/** The box of one user, through its states. What changes it runs in turn, so that no start meets a stop half done. */
export class UserBox {
  user: BoxUser;
  state: BoxState = 'stopped';
  /** Resolves once {@link adopt} is through, well or not: until then what runs is not known. */
  adopted: Promise<void> = Promise.resolve();
  readonly #around: Surroundings;
  readonly #turns = new InTurn();
  #detail: string | undefined;
  #stages: StageReport[] = [];
  #running: { readonly box: RunningBox; readonly engineBox: EngineBox } | undefined;
  /** Answers already, while the pipeline brings its home up to date. */
  #preparing: RunningBox | undefined;
  #starting: StartingBox | undefined;
  #idle: IdleState = notIdle;
  /** Counts uses; an idle stop that finds another number than it began with gives way. */
  #generation = 0;
  #isTicking = false;
  readonly #adopting = new AbortController();

  constructor(user: BoxUser, around: Surroundings) {
    this.user = user;
    this.#around = around;
  }

  get running(): RunningBox | undefined {
    return this.#running?.box;
  }

  /** Also before the pipeline is through: a dotfile saved in that time must still get there. */
  get reachable(): RunningBox | undefined {
    return this.#running?.box ?? this.#preparing;
  }

  /** @param withoutWaiting for a setup that takes long: it goes on while the box is used */
  ensure(user: BoxUser, withoutWaiting = false): Promise<RunningBox> {
    const box = this.#ensure(user);
    if (withoutWaiting) this.#starting?.openNow.abort();
    return box;
  }

  /** What the pipeline has done by now, where it went on after the box was up. */
  tellStages(box: RunningBox, stages: StageReport[]): void {
    if (this.#running?.box !== box && this.#preparing !== box) return;
    this.#stages = stages;
    this.#around.changed(this.user);
  }

  #ensure(user: BoxUser): Promise<RunningBox> {
    this.user = user;
    this.#generation++;
    this.#idle = notIdle;
    if (this.#running !== undefined && this.#outdated().length === 0) return Promise.resolve(this.#running.box);
    if (this.#starting !== undefined) return this.#starting.box;
    const abort = new AbortController();
    const openNow = new AbortController();
    const box = this.#inTurn(() => this.#startOrReplace({ signal: abort.signal, openNow: openNow.signal })).finally(
      () => {
        this.#starting = undefined;
      },
    );
    this.#starting = { box, abort, openNow };
    return box;
  }

  /** Takes over a box that runs. One that does not answer is ended: nobody could use it. */
  adopt(engineBox: EngineBox): Promise<void> {
    const { signal } = this.#adopting;
    const adoption = this.#inTurn(async () => {
      if (this.#running !== undefined) return;
      this.#become('starting');
      const link = await BoxdLink.listen({ socketDir: this.#around.socketDir });
      try {
        await this.#around.layTrust();
        // Its terminals have been open all the time.
        await this.#connect(engineBox, link, unansweringMs, { openNow: AbortSignal.abort(), signal });
      } catch (error) {
        await link.close();
        if (signal.aborted) return;
        this.#around.report(error);
        await this.#around.engine.stop(engineBox.username, graceMs);
        this.#around.happened(this.user, { kind: 'stopped', why: 'unanswering' });
        this.#become('failed', notAdopted);
      }
    });
    this.adopted = adoption.catch(() => undefined);
    return adoption;
  }

  /** Ends a box that somebody got no answer from, unless it answers after all; the next {@link ensure} starts it anew. */
  async endUnanswering(box: RunningBox): Promise<void> {
    // Not in turn: who stops or restarts it meanwhile must not wait for this.
    if (await box.pulse.answers()) return;
    await this.#inTurn(async () => {
      if (this.#running?.box === box && box.pulse.isDead) await this.#stopNow('unanswering');
    });
  }

  async stop(): Promise<void> {
    this.#adopting.abort(new SpoonError('box-stopped'));
    this.#starting?.abort.abort(new SpoonError('box-stopped', 'It was stopped while it started.'));
    await this.#inTurn(() => this.#stopNow('asked'));
  }

  /** The engine says that it ended by itself. */
  ended(end: BoxEnd): void {
    this.#starting?.abort.abort(new SpoonError('box-start-failed', endInWords(end, this.#around.memoryBytes())));
    if (this.#running?.engineBox.engineId !== end.engineId) return;
    const { link, pulse } = this.#running.box;
    this.#running = undefined;
    pulse.close();
    link.close().catch(this.#around.report);
    this.#around.happened(this.user, { kind: 'ended', reason: end.reason, exitCode: end.exitCode });
    const state = end.reason === 'exited' && end.exitCode === 0 ? 'stopped' : 'failed';
    this.#become(state, endInWords(end, this.#around.memoryBytes()));
  }

  memoryKilled(): void {
    this.#around.happened(this.user, { kind: 'out-of-memory' });
    if (this.#running !== undefined) this.#become('running', memoryKillInWords(this.#around.memoryBytes()));
  }

  /** @param elapsedMs since the last call, by a monotonic clock */
  async tick(elapsedMs: number): Promise<void> {
    if (this.#running === undefined || this.#isTicking) return;
    this.#isTicking = true;
    try {
      const states = await this.#running.box.boxd.terminals().catch(() => undefined);
      this.#idle = advance(this.#idle, states, elapsedMs, this.#around.rules, this.#around.pinnedUntilMs());
      if (stopsInMs(this.#idle, this.#around.rules) === 0) await this.#inTurn(() => this.#stopIfIdle());
    } finally {
      this.#isTicking = false;
    }
  }

  async describe(): Promise<Box> {
    const { engine, rules } = this.#around;
    const box = this.#running?.box;
    const silentMs = box?.pulse.isSilent === true ? box.pulse.silentMs : undefined;
    const states = silentMs === undefined ? await this.#askStates(box) : undefined;
    return describeBox({
      ...{ state: this.state, engine: engine.name, username: this.user.username, startedMs: box?.startedMs },
      holders: states && this.#holders(states),
      stopsInMs: stopsInMs(this.#idle, rules),
      pinnedUntilMs: this.#around.pinnedUntilMs(),
      ...{ stages: this.#stages, silentMs, outdated: this.#outdated(), detail: this.#detail },
    });
  }

  /** The service goes; the box stays. A start that is under way is given up. */
  async release(): Promise<void> {
    this.#adopting.abort(new SpoonError('shutting-down'));
    this.#starting?.abort.abort(new SpoonError('shutting-down'));
    await this.#inTurn(async () => {
      const box = this.#running?.box;
      this.#running = undefined;
      box?.pulse.close();
      await box?.link.close();
    });
  }

  #askStates(box: RunningBox | undefined): Promise<TerminalStates | undefined> | undefined {
    return box?.boxd.terminals(AbortSignal.timeout(describeMs)).catch(() => undefined);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run('', work);
  }

  #outdated(): BoxDifference[] {
    if (this.#running === undefined) return [];
    return differences(this.#running.engineBox, this.#around.specOf(this.user), this.#around.imageId());
  }

  #holders(states: TerminalStates): Holder[] {
    return holdersOf(states, this.#idle, this.#around.rules, this.#around.pinnedUntilMs());
  }

  async #startOrReplace(waiting: Waiting): Promise<RunningBox> {
    const current = this.#running;
    if (current !== undefined) {
      if (this.#outdated().length === 0) return current.box;
      const states = await this.#askStates(current.box);
      // A fresh look: terminals that were opened since the last tick count too.
      if (states === undefined || this.#holders(states).length > 0) return current.box;
      await this.#stopNow('outdated');
    }
    return this.#start(waiting);
  }

  async #start(waiting: Waiting): Promise<RunningBox> {
    const { engine, socketDir } = this.#around;
    let link: BoxdLink | undefined;
    this.#become('starting');
    const spec = this.#around.specOf(this.user);
    try {
      await this.#around.prepare(spec);
      link = await BoxdLink.listen({ socketDir });
      await this.#around.layTrust();
      waiting.signal?.throwIfAborted();
      const engineBox = await engine.start(spec, waiting.signal);
      const box = await this.#connect(engineBox, link, dialMs, waiting);
      this.#around.happened(this.user, { kind: 'started' });
      return box;
    } catch (error) {
      await link?.close();
      // Only where something can have been started and can be ended.
      const why = link === undefined ? error : await afterFailedStart(error, spec, this.#around);
      this.#around.happened(this.user, { kind: 'start-failed', error: why });
      throw this.#failed(why);
    }
  }

  /** The operator gets all of it in the log. @returns what its user may be told */
  #failed(error: unknown): unknown {
    const told = withoutHostPaths(error);
    if (told !== error && error instanceof Error) this.#around.report(new Error(error.message, { cause: error }));
    this.#become('failed', errorInWords(told));
    return told;
  }

  async #connect(
    engineBox: EngineBox,
    link: BoxdLink,
    timeoutMs: number,
    { openNow, signal }: Waiting,
  ): Promise<RunningBox> {
    const onSilence = (isSilent: boolean) => this.#around.silent(this.user, isSilent);
    const box = await openBox(link, engineBox, { user: this.user, timeoutMs, signal, onSilence });
    this.#preparing = box;
    try {
      this.#stages = await this.#around.onStarted(box, { openNow, signal });
      signal?.throwIfAborted();
      this.#running = { box, engineBox };
    } finally {
      this.#preparing = undefined;
    }
    this.#idle = notIdle;
    this.#become('running');
    return box;
  }

  async #stopIfIdle(): Promise<void> {
    const box = this.#running?.box;
    if (box === undefined) return;
    const generation = this.#generation;
    const states = await box.boxd.terminals().catch(() => undefined);
    const isHeld = states !== undefined && this.#holders(states).length > 0;
    // From here to the end of the first line of #stopNow nothing else runs: an open came before and wins, or waits.
    if (isHeld || generation !== this.#generation || this.#running?.box !== box) return;
    await this.#stopNow('idle');
  }

  async #stopNow(why: (BoxHappening & { kind: 'stopped' })['why']): Promise<void> {
    const box = this.#running?.box;
    this.#running = undefined;
    if (this.state !== 'stopped') this.#become('stopping');
    // What hears no question hears no SIGTERM either.
    const grace = Math.max(0, graceMs - (box?.pulse.silentMs ?? 0));
    box?.pulse.close();
    try {
      await this.#around.engine.stop(this.user.username, grace);
    } catch (error) {
      throw this.#failed(error);
    } finally {
      // Last: what boxd still has to say to viewers goes through it.
      await box?.link.close();
    }
    if (box !== undefined) this.#around.happened(this.user, { kind: 'stopped', why });
    if (this.state !== 'stopped') this.#become('stopped');
  }

  #become(state: BoxState, detail?: string): void {
    this.state = state;
    this.#detail = detail;
    this.#around.changed(this.user);
  }
}
