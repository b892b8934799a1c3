import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BoxLoad } from '../../protocol/admin.ts';
import type { Box, BoxState, StageReport } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { layAuthorities } from './authorities.ts';
import type { BoxesOptions } from './boxesOptions.ts';
import { LoadMeter } from './boxLoad.ts';
import type { BoxSpec } from './engine.ts';
import { ensureHome, refuseSecondHome } from './homes.ts';
import { InTurn } from './inTurn.ts';
import { rejectedBy } from './rejectedBy.ts';
import { eraseRemovedHomes, setFormerHomesAside, setHomeAside } from './removedHomes.ts';
import type { BoxUser, RunningBox } from './runningBox.ts';
import { writeSystemFiles } from './systemFiles.ts';
import { UserBox } from './userBox.ts';
import { limitsFor, ownerOf, specOf } from './userSpec.ts';

export type { BoxUser, RunningBox } from './runningBox.ts';

const shortestTickMs = 20;
const longestTickMs = 15_000;

/**
 * One box per user: started when asked for, kept while something holds it, found again after a restart of the service.
 * Never looks into a home; all that happens in one goes through boxd.
 */
export class Boxes {
  readonly #options: BoxesOptions;
  readonly #boxes = new Map<string, UserBox>();
  readonly #listeners = new Set<(user: BoxUser) => void>();
  readonly #silenceListeners = new Set<(user: BoxUser, isSilent: boolean) => void>();
  readonly #unwatch: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #tickMs: number;
  readonly #erasing = new InTurn();
  readonly #loads = new LoadMeter();
  /** Ids of users whose boxes must not run. */
  readonly #blocked = new Set<string>();
  #imageId: string | undefined;

  constructor(options: BoxesOptions) {
    this.#options = options;
    const { engine, settings } = options;
    this.#unwatch = engine.watch({
      onEnd: (end) => this.#byName(end.username)?.ended(end),
      onMemoryKill: (username) => this.#byName(username)?.memoryKilled(),
    });
    this.#tickMs = Math.min(longestTickMs, Math.max(shortestTickMs, settings.idleMs / 10));
    let lastTick = performance.now();
    this.#timer = setInterval(() => {
      const elapsedMs = performance.now() - lastTick;
      lastTick = performance.now();
      for (const box of this.#boxes.values()) box.tick(elapsedMs).catch(options.report);
      void this.#lookAtImage();
    }, this.#tickMs).unref();
  }

  /**
   * The user's running box; starts it where there is none. A box made from something older is replaced first, if nothing
   * holds it. Counts as use: an idle stop that has not begun does not happen.
   * @param waiting `signal` ends the waiting, not the start, which others may wait for too; `withoutWaiting` for a setup that
   * takes long, which then goes on beside
   * @throws SpoonError what {@link Engine.start} throws, `box-unavailable` or `box-misbehaved` when boxd does not come up,
   * `single-user-only`, `user-disabled`
   */
  async ensure(
    user: BoxUser,
    signal?: AbortSignal,
    { withoutWaiting = false }: { withoutWaiting?: boolean } = {},
  ): Promise<RunningBox> {
    signal?.throwIfAborted();
    if (this.#blocked.has(user.userId)) throw new SpoonError('user-disabled');
    const ensured = this.#of(user).ensure(user, withoutWaiting);
    return signal === undefined ? ensured : Promise.race([ensured, rejectedBy(signal)]);
  }

  /** What the pipeline has done by now, where it goes on after the box is up. */
  tellStages(box: RunningBox, stages: StageReport[]): void {
    this.#boxes.get(box.user.userId)?.tellStages(box, stages);
  }

  running(userId: string): RunningBox | undefined {
    return this.#boxes.get(userId)?.running;
  }

  /** {@link running}, or the box that is just being prepared. */
  reachable(userId: string): RunningBox | undefined {
    return this.#boxes.get(userId)?.reachable;
  }

  allRunning(): RunningBox[] {
    return [...this.#boxes.values()].flatMap(({ running }) => running ?? []);
  }

  /** For who got `box-unavailable` from a box that should run: it is ended if it really does not answer. */
  async endUnanswering(box: RunningBox): Promise<void> {
    await this.#boxes.get(box.user.userId)?.endUnanswering(box);
  }

  /** Ends the user's box, also one that is just starting. Succeeds when there is none. */
  async stop(userId: string): Promise<void> {
    await this.#boxes.get(userId)?.stop();
  }

  /** {@link stop}, for good: no start until {@link unblock}, also none that was asked for before. */
  async block(userId: string): Promise<void> {
    this.#blocked.add(userId);
    await this.stop(userId);
  }

  unblock(userId: string): void {
    this.#blocked.delete(userId);
  }

  /** {@link stop}, then {@link ensure}: the newest image and boxd, an empty /tmp, and nothing that ran. */
  async restart(user: BoxUser, signal?: AbortSignal): Promise<RunningBox> {
    await this.stop(user.userId);
    return this.ensure(user, signal);
  }

  /**
   * Ends the box and removes the home, for a user who is gone.
   * @returns false when the home's files wait for {@link eraseRemovedHomes}: an engine that is away cannot empty it
   */
  async removeHome(user: BoxUser): Promise<boolean> {
    const { places, report } = this.#options;
    // Nothing comes back to a user who is gone: an engine that does not answer must not keep the home where it is.
    await this.stop(user.userId).catch(report);
    await setHomeAside(places.homesDir, user);
    this.#boxes.delete(user.userId);
    for (const folder of [places.runDir, places.etcDir])
      await rm(join(folder, user.username), { recursive: true, force: true });
    return this.eraseRemovedHomes();
  }

  /** What {@link removeHome} did not come to before the service ended, for users who were removed. */
  async setFormerHomesAside(usernames: readonly string[]): Promise<void> {
    const { places, settings, report } = this.#options;
    const isUserUid = (uid: number) => uid !== 0 && ownerOf(settings, uid).uid === uid;
    await setFormerHomesAside(places.homesDir, usernames, { isUserUid, report });
  }

  /** Goes on with what {@link removeHome} could not finish. @returns whether nothing is left */
  eraseRemovedHomes(): Promise<boolean> {
    const { engine, places, settings, report } = this.#options;
    const { homesDir, boxdDir } = places;
    const ownerOfUid = (uid: number) => ownerOf(settings, uid);
    return this.#erasing.run('', () =>
      eraseRemovedHomes({ engine, homesDir, boxdDir, image: settings.image, ownerOf: ownerOfUid, report }),
    );
  }

  stateOf(userId: string): BoxState {
    return this.#boxes.get(userId)?.state ?? 'stopped';
  }

  /** What the user's running box uses; undefined where it is off, or nobody counts it. */
  async load(userId: string): Promise<BoxLoad | undefined> {
    const { engine } = this.#options;
    const box = this.running(userId);
    if (box === undefined) return undefined;
    // An engine that is away leaves the list of boxes as it is, without this.
    const usage = await engine.usage(box.user.username).catch(() => undefined);
    return usage === undefined
      ? undefined
      : this.#loads.measure(userId, box, usage, limitsFor(this.#options, userId).memoryBytes);
  }

  describe(user: BoxUser): Promise<Box> {
    return this.#of(user).describe();
  }

  /**
   * Takes over the boxes that an earlier service left running, and ends those of nobody in `users`. Resolves when each
   * answers or has been ended; {@link ensure} may be called meanwhile.
   */
  async adopt(users: readonly BoxUser[]): Promise<void> {
    const byName = new Map(users.map((user) => [user.username, user]));
    const found = await this.#options.engine.list();
    await Promise.all(
      found.map((box) => {
        const user = byName.get(box.username);
        return user === undefined ? this.#options.engine.stop(box.username, 0) : this.#of(user).adopt(box);
      }),
    );
  }

  /** Resolves once {@link adopt} is through with the user's box; until then {@link running} may not know it. */
  async adopted(userId: string): Promise<void> {
    await this.#boxes.get(userId)?.adopted;
  }

  /** Calls `listener` when what {@link describe} says about a user's box has changed. Returns how to end that. */
  onChange(listener: (user: BoxUser) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` when a box that somebody waits for or watches stops answering, and when it answers again. */
  onSilence(listener: (user: BoxUser, isSilent: boolean) => void): void {
    this.#silenceListeners.add(listener);
  }

  /** A box that runs keeps those it was made with, and is shown as outdated. */
  limitsChanged(userId: string): void {
    const box = this.#boxes.get(userId);
    if (box !== undefined) this.#changed(box.user);
  }

  /** Lets go of all boxes; they run on, and an engine that is still in use stays open. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#unwatch();
    this.#listeners.clear();
    await Promise.all([...this.#boxes.values()].map((box) => box.release()));
  }

  /** Keeps a running box up until then. @throws SpoonError `box-stopped`, `pin-invalid` */
  async pin(user: BoxUser, untilMs: number): Promise<void> {
    if (this.running(user.userId) === undefined) throw new SpoonError('box-stopped', 'Start it, then keep it.');
    await this.#options.pins.set(user.userId, untilMs);
    this.#changed(user);
  }

  async unpin(user: BoxUser): Promise<void> {
    await this.#options.pins.clear(user.userId);
    this.#changed(user);
  }

  #changed(user: BoxUser): void {
    for (const listener of this.#listeners) listener(user);
  }

  #silent(user: BoxUser, isSilent: boolean): void {
    if (isSilent) this.#options.engine.wake(user.username).catch(this.#options.report);
    for (const listener of this.#silenceListeners) listener(user, isSilent);
    this.#changed(user);
  }

  #of(user: BoxUser): UserBox {
    const present = this.#boxes.get(user.userId);
    if (present !== undefined) return present;
    const { engine, settings, onStarted, report, places } = this.#options;
    const box = new UserBox(user, {
      engine,
      rules: { idleMs: settings.idleMs, detachedMs: settings.detachedMs, maxStepMs: 2 * this.#tickMs },
      memoryBytes: () => limitsFor(this.#options, user.userId).memoryBytes,
      socketDir: join(places.runDir, user.username),
      imageId: () => this.#imageId,
      pinnedUntilMs: () => this.#options.pins.untilMs(user.userId),
      specOf: (current) => specOf(this.#options, current),
      prepare: (current) => this.#prepare(current),
      layTrust: () => layAuthorities(join(places.runDir, user.username), settings.authorities),
      onStarted,
      report,
      changed: (current) => this.#changed(current),
      happened: (current, happening) => this.#options.happened?.(current, happening),
      silent: (current, isSilent) => this.#silent(current, isSilent),
    });
    this.#boxes.set(user.userId, box);
    return box;
  }

  #byName(username: string): UserBox | undefined {
    return [...this.#boxes.values()].find(({ user }) => user.username === username);
  }

  /** Whether its name stands for another image by now. While the engine is away, that is not known to have changed. */
  async #lookAtImage(): Promise<void> {
    const { engine, settings } = this.#options;
    if (this.allRunning().length === 0) return;
    const before = this.#imageId;
    this.#imageId = (await engine.imageId(settings.image).catch(() => undefined)) ?? before;
    if (before === this.#imageId) return;
    for (const { user } of this.allRunning()) this.#changed(user);
  }

  async #prepare(spec: BoxSpec): Promise<void> {
    const { places, settings } = this.#options;
    if (!settings.separatesUsers) await refuseSecondHome(places.homesDir, spec.username);
    await ensureHome(places.homesDir, spec);
    const { authorities } = settings;
    await writeSystemFiles(join(places.etcDir, spec.username), spec, { trustsHome: authorities !== undefined });
  }
}
