import { setTimeout as delay } from 'node:timers/promises';
import type { HomeDrift } from '../../protocol/boxd.ts';
import type { DotfileDrift, DriftList } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { InTurn } from '../boxes/inTurn.ts';
import type { Dotfiles } from '../dotfiles/dotfiles.ts';

export interface HomeDriftsParts {
  readonly dotfiles: Pick<Dotfiles, 'drifts'>;
  readonly reachable: (userId: string) => RunningBox | undefined;
  readonly publish: (userId: string, event: SpoonEvent) => void;
  readonly onError: (error: unknown, userId: string) => void;
}

interface Watched {
  readonly box: RunningBox;
  drifts: ReadonlyMap<string, HomeDrift>;
}

/** A box that makes news without end is asked so often and no more. */
const restMs = 250;
const shortestPauseMs = 1_000;
const longestPauseMs = 60_000;
const nothing: ReadonlyMap<string, HomeDrift> = new Map();

/**
 * What people change in their homes by hand: asks each running box, which answers when there is something new, and tells the
 * user's windows. Believes a box about its own home only, and only about files that the user has in the overlay.
 */
export class HomeDrifts {
  readonly #parts: HomeDriftsParts;
  readonly #watched = new Map<string, Watched>();
  /** What was told last, by user and path. */
  readonly #told = new Map<string, ReadonlyMap<string, string>>();
  readonly #turns = new InTurn();
  readonly #closing = new AbortController();

  constructor(parts: HomeDriftsParts) {
    this.#parts = parts;
  }

  /** From the moment that a box has its overlay until it ends. */
  follow(box: RunningBox): void {
    const { userId } = box.user;
    this.#run(box).catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#parts.onError(error, userId);
    });
  }

  async list(userId: string): Promise<DriftList> {
    const watched = this.#watchedOf(userId);
    const drifts = await this.#parts.dotfiles.drifts(userId, watched?.drifts ?? nothing);
    return { watching: watched !== undefined, drifts };
  }

  /** Something about the dotfiles of the user has changed: tells the windows what that means for the drifts. */
  async refresh(userId: string): Promise<void> {
    await this.#turns.run(userId, async () => {
      const { drifts } = await this.list(userId);
      const before = this.#told.get(userId) ?? new Map<string, string>();
      const now = new Map(drifts.map((drift) => [drift.path, JSON.stringify(drift)]));
      const changed = drifts.filter(({ path }) => before.get(path) !== now.get(path));
      const cleared = [...before.keys()].filter((path) => !now.has(path));
      if (now.size === 0) this.#told.delete(userId);
      else this.#told.set(userId, now);
      if (changed.length === 0 && cleared.length === 0) return;
      this.#parts.publish(userId, { type: 'dotfile.drift', drifts: changed satisfies DotfileDrift[], cleared });
    });
  }

  /** The box has been told to write these: what it said about them is over. */
  written(box: RunningBox, paths: readonly string[]): void {
    const watched = this.#watched.get(box.user.userId);
    if (watched?.box !== box || watched.drifts.size === 0) return;
    const drifts = new Map(watched.drifts);
    for (const path of paths) drifts.delete(path);
    watched.drifts = drifts;
  }

  close(): void {
    this.#closing.abort();
  }

  #watchedOf(userId: string): Watched | undefined {
    const watched = this.#watched.get(userId);
    return watched !== undefined && this.#parts.reachable(userId) === watched.box ? watched : undefined;
  }

  async #run(box: RunningBox): Promise<void> {
    const { userId } = box.user;
    const { signal } = this.#closing;
    const isThere = () => !signal.aborted && this.#parts.reachable(userId) === box;
    let after = 0;
    let pauseMs = shortestPauseMs;
    try {
      while (isThere()) {
        try {
          const report = await box.boxd.drift(after, signal);
          after = report.sequence;
          this.#watched.set(userId, { box, drifts: new Map(report.drifts.map((drift) => [drift.path, drift])) });
          await this.refresh(userId);
          pauseMs = shortestPauseMs;
          await delay(restMs, undefined, { signal, ref: false });
        } catch (error) {
          // A box of an older Spoon does not know the question.
          if (!isThere() || (error instanceof SpoonError && error.code === 'not-found')) break;
          this.#parts.onError(error, userId);
          await delay(pauseMs, undefined, { signal, ref: false });
          pauseMs = Math.min(2 * pauseMs, longestPauseMs);
        }
      }
    } finally {
      if (this.#watched.get(userId)?.box === box) this.#watched.delete(userId);
      if (!signal.aborted) await this.refresh(userId);
    }
  }
}
