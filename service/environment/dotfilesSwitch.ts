import type { StageReport } from '../../protocol/boxes.ts';
import type { SwitchedDotfiles, DotfilesSwitch as SwitchState, TakenOut } from '../../protocol/dotfilesSwitch.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import { maxKeptNames } from '../../protocol/limits.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { InTurn } from '../boxes/inTurn.ts';
import type { DotfilesRepository } from './dotfilesRepository.ts';
import type { LiveOverlay } from './liveOverlay.ts';
import { noRepository, type RepositoryRecords, type StoredRepository } from './repositoryRecords.ts';
import { dotfilesOff, isApplied } from './repositorySettings.ts';

export interface DotfilesSwitchParts {
  readonly records: RepositoryRecords;
  readonly repository: Pick<DotfilesRepository, 'state' | 'cancel' | 'begin'>;
  readonly overlay: Pick<LiveOverlay, 'applyAll'>;
  readonly reachable: (userId: string) => RunningBox | undefined;
  readonly tellStages: (box: RunningBox, stages: StageReport[]) => void;
  readonly publish: (userId: string, event: SpoonEvent) => void;
  readonly onError: (error: unknown, userId: string) => void;
}

const nothing: TakenOut = { removed: 0, restored: 0, kept: [] };

/**
 * Whether a user's dotfiles are applied at all. Off, the overlay of the home is empty and the repository as switched off,
 * live and at each start; what was stored stays.
 */
export class DotfilesSwitch {
  readonly #parts: DotfilesSwitchParts;
  readonly #turns = new InTurn();
  /** Asked for with every save. Nobody else writes the store. */
  readonly #off = new Map<string, boolean>();

  constructor(parts: DotfilesSwitchParts) {
    this.#parts = parts;
  }

  /** Where the record is damaged, dotfiles go on as for everybody who never turned them off. */
  async isOff(userId: string): Promise<boolean> {
    const known = this.#off.get(userId);
    if (known !== undefined) return known;
    try {
      const stored = await this.#parts.records.read(userId);
      // Somebody may have switched meanwhile.
      if (!this.#off.has(userId)) this.#off.set(userId, stored?.off !== undefined);
    } catch (error) {
      this.#parts.onError(error, userId);
    }
    return this.#off.get(userId) ?? false;
  }

  /** @throws SpoonError `integrity-failure`, `key-unavailable` */
  async state(userId: string): Promise<SwitchState> {
    const off = (await this.#parts.records.read(userId))?.off;
    return off === undefined ? { on: true, applied: true } : { on: false, ...off };
  }

  /**
   * Off: ends a setup that is under way, then takes out of the home what Spoon wrote and puts back what it displaced. On:
   * applies all of it again. Where no box is up, its next start does.
   * @throws SpoonError `store-busy`, `integrity-failure`, `key-unavailable`
   */
  set(userId: string, on: boolean): Promise<SwitchedDotfiles> {
    return this.#turns.run(userId, async () => {
      await this.#parts.records.write(userId, (before) => switched(before, on));
      this.#off.set(userId, !on);
      const box = this.#parts.reachable(userId);
      let setup: SwitchedDotfiles['setup'] = 'none';
      let isInBox = box !== undefined;
      try {
        if (box !== undefined) setup = on ? await this.#apply(box) : await this.#takeOut(box);
      } catch (error) {
        if (!(error instanceof SpoonError)) throw error;
        this.#parts.onError(error, userId); // It is kept; the box takes it at its next start.
        isInBox = false;
      }
      const state = await this.#tell(userId);
      return { ...state, ...(on && { applied: isInBox }), setup };
    });
  }

  /** @throws SpoonError `dotfiles-off` */
  async applyAgain(box: RunningBox): Promise<StageReport[]> {
    if (await this.isOff(box.user.userId)) throw dotfilesOff();
    return this.#parts.overlay.applyAll(box);
  }

  /** The home has been changed for an overlay that is turned off. */
  async takenOut(userId: string, found: TakenOut = nothing): Promise<void> {
    await this.#parts.records.write(userId, (before) => {
      if (before?.off === undefined || (before.off.applied && isNothing(found))) return before;
      return { ...before, off: { applied: true, takenOut: sumOf(before.off.takenOut, found) } };
    });
    await this.#tell(userId);
  }

  async #takeOut(box: RunningBox): Promise<SwitchedDotfiles['setup']> {
    const { repository, overlay, tellStages } = this.#parts;
    const { userId } = box.user;
    const wasRunning = (await repository.state(userId)).run?.state === 'running';
    if (wasRunning) await repository.cancel(userId);
    const stages = await overlay.applyAll(box);
    await repository.begin(box);
    tellStages(box, stages);
    return wasRunning ? 'cancelled' : 'none';
  }

  async #apply(box: RunningBox): Promise<SwitchedDotfiles['setup']> {
    const { repository, overlay, tellStages } = this.#parts;
    const begun = await repository.begin(box);
    const stages = await overlay.applyAll(box);
    if (begun === undefined) tellStages(box, stages);
    return begun === undefined ? 'none' : 'begun';
  }

  async #tell(userId: string): Promise<SwitchState> {
    const dotfiles = await this.state(userId);
    this.#parts.publish(userId, { type: 'dotfiles.switched', dotfiles });
    return dotfiles;
  }
}

function switched(before: StoredRepository | undefined, on: boolean): StoredRepository | undefined {
  if ((before?.off === undefined) === on) return before;
  const { off: _, ...rest } = before ?? noRepository;
  if (on) return { ...rest, restore: rest.restore && !isApplied(rest) };
  return { ...rest, restore: rest.restore || isApplied(rest), off: { applied: false, takenOut: nothing } };
}

function isNothing({ removed, restored, kept }: TakenOut): boolean {
  return removed === 0 && restored === 0 && kept.length === 0;
}

function sumOf(before: TakenOut, more: TakenOut): TakenOut {
  return {
    removed: before.removed + more.removed,
    restored: before.restored + more.restored,
    kept: [...new Set([...before.kept, ...more.kept])].slice(0, maxKeptNames),
  };
}
