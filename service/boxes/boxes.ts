import type { Box } from '../../protocol/boxes.ts';
import type { BoxEnd } from './engine.ts';
import { type BoxParts, type BoxUser, type RunningBox, UserBox } from './userBox.ts';

export type { BoxUser, RunningBox } from './userBox.ts';

const tickMs = 15_000;

/**
 * All boxes of this service. What runs is the engine's to know: after a restart the boxes are found again there, and who
 * holds one is asked of the box itself, so nothing is lost with this process.
 */
export class Boxes {
  readonly #parts: BoxParts;
  readonly #users = new Map<string, UserBox>();
  readonly #listeners = new Set<(user: BoxUser) => void>();
  readonly #unwatch: () => void;
  readonly #ticker: NodeJS.Timeout;
  #lastTickMs = performance.now();

  /** @param parts.onStarted see {@link BoxParts} */
  constructor(parts: BoxParts) {
    this.#parts = parts;
    this.#unwatch = parts.engine.watch({
      onEnd: (end) => void this.#find(end.username)?.ended(end),
      onMemoryKill: (username) => this.#find(username)?.memoryKill(),
    });
    this.#ticker = setInterval(() => void this.tick(), Math.min(tickMs, parts.idle.maxStepMs, parts.idle.idleMs));
    this.#ticker.unref();
  }

  /** The box of this user, started where it is off. Throws as {@link UserBox.ensure}. */
  ensure(user: BoxUser, signal?: AbortSignal): Promise<RunningBox> {
    return this.#of(user).ensure(signal);
  }

  running(userId: string): RunningBox | undefined {
    return this.#users.get(userId)?.running;
  }

  allRunning(): RunningBox[] {
    return [...this.#users.values()].map(({ running }) => running).filter((running) => running !== undefined);
  }

  async stop(userId: string): Promise<void> {
    await this.#users.get(userId)?.stop();
  }

  describe(user: BoxUser): Promise<Box> {
    return this.#of(user).describe();
  }

  /**
   * Takes over the boxes that run already; one of a user who is no more is stopped.
   * @param users all users of this service
   * @throws SpoonError `engine-unavailable`
   */
  async adopt(users: readonly BoxUser[]): Promise<void> {
    const found = await this.#parts.engine.list();
    const byName = new Map(users.map((user) => [user.username, user]));
    await Promise.all(
      found.map(async (engineBox) => {
        const user = byName.get(engineBox.username);
        if (user === undefined) await this.#parts.engine.stop(engineBox.username, 0);
        else await this.#of(user).adopt(engineBox);
      }),
    );
  }

  /** Tells of every change of state. The returned function ends it. */
  onChange(listener: (user: BoxUser) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One step of the idle clock for all. By the monotonic clock: a changed wall clock stops nothing. */
  async tick(): Promise<void> {
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.#lastTickMs;
    this.#lastTickMs = nowMs;
    await Promise.all([...this.#users.values()].map((box) => box.tick(elapsedMs)));
  }

  /** Lets go of all boxes; they run on. */
  async close(): Promise<void> {
    clearInterval(this.#ticker);
    this.#unwatch();
    await Promise.all([...this.#users.values()].map((box) => box.release()));
    await this.#parts.engine.close();
  }

  #of(user: BoxUser): UserBox {
    let box = this.#users.get(user.userId);
    if (box === undefined) {
      box = new UserBox(user, this.#parts, () => {
        for (const listener of this.#listeners) listener(user);
      });
      this.#users.set(user.userId, box);
    }
    return box;
  }

  #find(username: BoxEnd['username']): UserBox | undefined {
    return [...this.#users.values()].find(({ user }) => user.username === username);
  }
}
