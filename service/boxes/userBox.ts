import { join } from 'node:path';
import type { TerminalStates } from '../../protocol/boxd.ts';
import type { Box, BoxState, StageReport } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { boxdProtocol, oldestBoxdProtocol } from '../../protocol/version.ts';
import { BoxdClient } from './boxdClient.ts';
import { BoxdLink } from './boxdLink.ts';
import { specHash } from './boxSpec.ts';
import type { BoxEnd, BoxSpec, Engine, EngineBox } from './engine.ts';
import { advance, holdersOf, type IdleRules, type IdleState, notIdle, stopsInMs } from './holders.ts';
import { ensureHome } from './homes.ts';
import { InTurn } from './inTurn.ts';
import { writeSystemFiles } from './systemFiles.ts';

export interface BoxUser {
  readonly userId: string;
  readonly username: string;
  readonly uid: number;
  readonly shell: string;
}

/** One run of a box: another object after the next start. */
export interface RunningBox {
  readonly user: BoxUser;
  readonly boxd: BoxdClient;
  readonly link: BoxdLink;
  readonly startedMs: number;
}

export interface BoxParts {
  readonly engine: Engine;
  /** Folders of the workdir, and the bundle of boxd that new boxes get. */
  readonly places: { readonly homes: string; readonly run: string; readonly etc: string; readonly boxdDir: string };
  readonly template: Pick<BoxSpec, 'image' | 'memoryBytes' | 'cpus' | 'maxProcesses'>;
  readonly idle: IdleRules;
  /** The pipeline: runs when boxd answers, before anybody gets the box. Its failures are stages and not errors. */
  readonly onStarted: (box: RunningBox) => Promise<StageReport[]>;
}

const dialMs = 30_000;
const stopGraceMs = 10_000;
const turn = 'turn';

/** The box of one user: at most one, one start however many ask, everything about it one after another. */
export class UserBox {
  readonly user: BoxUser;
  readonly #parts: BoxParts;
  readonly #changed: () => void;
  readonly #turns = new InTurn();
  #state: BoxState = 'stopped';
  #detail: string | undefined;
  #stages: StageReport[] = [];
  #box: { running: RunningBox; engineBox: EngineBox } | undefined;
  #idle: IdleState = notIdle;
  /** How many want the box right now: an idle stop that was about to happen gives way to them. */
  #wanted = 0;

  constructor(user: BoxUser, parts: BoxParts, changed: () => void) {
    this.user = user;
    this.#parts = parts;
    this.#changed = changed;
  }

  /** From the moment that boxd answers: a save made while the pipeline runs is carried by the queue behind it. */
  get running(): RunningBox | undefined {
    return this.#box?.running;
  }

  get state(): BoxState {
    return this.#state;
  }

  /** @throws SpoonError what the engine refuses it with, `box-start-failed`; the signal's reason, while the start goes on */
  async ensure(signal?: AbortSignal): Promise<RunningBox> {
    signal?.throwIfAborted();
    this.#wanted++;
    try {
      const box = this.#turns.run(turn, () => this.#ensureNow());
      if (signal === undefined) return await box;
      // Others may wait for the same start, so only the waiting ends.
      const gaveUp = Promise.withResolvers<never>();
      const onAbort = () => gaveUp.reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await Promise.race([box, gaveUp.promise]);
      } finally {
        signal.removeEventListener('abort', onAbort);
        box.catch(() => undefined);
      }
    } finally {
      this.#wanted--;
    }
  }

  /** Takes over a box that an earlier service process started. */
  adopt(engineBox: EngineBox): Promise<void> {
    return this.#turns.run(turn, async () => {
      if (this.#box !== undefined) return;
      try {
        await this.#connect(async () => engineBox);
      } catch (error) {
        await this.#fail(error);
      }
    });
  }

  stop(): Promise<void> {
    return this.#turns.run(turn, () => this.#stopNow());
  }

  /** What the engine's watch says. A box that has another id than the one in use is old news. */
  ended(end: BoxEnd): Promise<void> {
    return this.#turns.run(turn, async () => {
      if (this.#box === undefined || this.#box.engineBox.engineId !== end.engineId) return;
      await this.#letGo();
      this.#enter('failed', endingText(end));
    });
  }

  memoryKill(): void {
    const { memoryBytes } = this.#parts.template;
    this.#detail = `A program in your box was ended: the box may use ${Math.round(memoryBytes / 2 ** 20)} MiB of memory.`;
    this.#changed();
  }

  async describe(): Promise<Box> {
    const { user } = this;
    const states = await this.#terminals();
    const holders = states === undefined ? [] : holdersOf(states, this.#idle, this.#parts.idle);
    const box = this.#box;
    const idle = box !== undefined && this.#state === 'running' && holders.length === 0;
    return {
      state: this.#state,
      engine: this.#parts.engine.name,
      username: user.username,
      home: `/home/${user.username}`,
      startedMs: box?.running.startedMs ?? null,
      holders,
      stopsAtMs: idle ? Date.now() + stopsInMs(this.#idle, this.#parts.idle) : null,
      stages: this.#stages,
      ...(this.#detail === undefined ? {} : { detail: this.#detail }),
    };
  }

  /** One step of the idle clock; stops the box when its time is up and nobody wants it. */
  async tick(elapsedMs: number): Promise<void> {
    if (this.#state !== 'running' || this.#box === undefined) return;
    this.#idle = advance(this.#idle, await this.#terminals(), elapsedMs, this.#parts.idle);
    if (stopsInMs(this.#idle, this.#parts.idle) > 0) return;
    await this.#turns.run(turn, async () => {
      // Looked at again in turn: somebody may have come in between, and an open wins over a stop.
      if (this.#wanted > 0 || this.#state !== 'running') return;
      const states = await this.#terminals();
      if (states !== undefined && holdersOf(states, this.#idle, this.#parts.idle).length > 0) return;
      if (this.#wanted > 0) return;
      await this.#stopNow();
    });
  }

  /** Forgets the connection; the box runs on. */
  async release(): Promise<void> {
    await this.#turns.run(turn, () => this.#letGo());
  }

  async #ensureNow(): Promise<RunningBox> {
    if (this.#box !== undefined && this.#state === 'running') {
      if (await this.#answers()) {
        if (!(await this.#isOutdated())) return this.#box.running;
      }
      await this.#stopNow();
    }
    this.#enter('starting');
    try {
      const spec = await this.#spec();
      return await this.#connect(() => this.#parts.engine.start(spec));
    } catch (error) {
      await this.#fail(error);
      throw error instanceof SpoonError ? error : new SpoonError('box-start-failed', undefined, { cause: error });
    }
  }

  /** Listens before the box is there: its directory is one of the box's mounts. */
  async #connect(start: () => Promise<EngineBox>): Promise<RunningBox> {
    const link = await BoxdLink.listen({ socketDir: this.#socketDir });
    try {
      const engineBox = await start();
      await link.whenDialled(dialMs);
      const boxd = new BoxdClient(link);
      const { protocol } = await boxd.stat();
      if (protocol < oldestBoxdProtocol || protocol > boxdProtocol) {
        throw new SpoonError('box-start-failed', `Its daemon speaks protocol ${protocol}. Restart the box.`);
      }
      const running: RunningBox = { user: this.user, boxd, link, startedMs: engineBox.startedMs };
      this.#box = { running, engineBox };
      this.#stages = await this.#parts.onStarted(running);
      this.#idle = notIdle;
      this.#enter('running');
      return running;
    } catch (error) {
      this.#box = undefined;
      await link.close();
      throw error;
    }
  }

  async #stopNow(): Promise<void> {
    if (this.#state === 'stopped' && this.#box === undefined) return;
    this.#enter('stopping');
    await this.#letGo();
    await this.#parts.engine.stop(this.user.username, stopGraceMs);
    this.#enter('stopped');
  }

  async #fail(error: unknown): Promise<void> {
    await this.#letGo();
    const why =
      error instanceof SpoonError ? error.message : 'The box did not start. The log of the service has the details.';
    // What is left of it would only be in the way of the next start, which is somebody's to ask for.
    await this.#parts.engine.stop(this.user.username, stopGraceMs).catch(() => undefined);
    this.#enter('failed', why);
  }

  async #letGo(): Promise<void> {
    const box = this.#box;
    this.#box = undefined;
    await box?.running.link.close();
  }

  /** A box whose daemon is gone looks like a running one until it is asked. */
  async #answers(): Promise<boolean> {
    try {
      await this.#box?.running.boxd.stat();
      return true;
    } catch {
      return false;
    }
  }

  /** Made from another image, bundle or limits, and held by nobody. */
  async #isOutdated(): Promise<boolean> {
    if (this.#box?.engineBox.specHash === specHash(await this.#spec())) return false;
    const states = await this.#terminals();
    return states !== undefined && states.terminals.length === 0 && states.commands === 0;
  }

  async #terminals(): Promise<TerminalStates | undefined> {
    try {
      return await this.#box?.running.boxd.terminals();
    } catch {
      return undefined; // it does not answer: the caller counts it as idle
    }
  }

  get #socketDir(): string {
    return join(this.#parts.places.run, this.user.username);
  }

  async #spec(): Promise<BoxSpec> {
    const { places, template } = this.#parts;
    const { userId, username, uid, shell } = this.user;
    const owner = { username, uid, gid: uid };
    return {
      ...template,
      userId,
      ...owner,
      shell,
      homePath: await ensureHome(places.homes, owner),
      socketDir: this.#socketDir,
      boxdDir: places.boxdDir,
      systemFiles: await writeSystemFiles(join(places.etc, username), { ...owner, shell }),
    };
  }

  #enter(state: BoxState, detail?: string): void {
    this.#state = state;
    this.#detail = detail;
    this.#changed();
  }
}

function endingText({ reason }: BoxEnd): string {
  const home = 'Your home is as it was; open a terminal to start the box again.';
  switch (reason) {
    case 'out-of-memory':
      return `Your box ran out of memory and ended. ${home}`;
    case 'removed':
      return `Your box was removed from outside. ${home}`;
    case 'engine-gone':
      return `The container engine went away, and your box with it. ${home}`;
    case 'exited':
      return `Your box ended by itself. ${home}`;
  }
}
