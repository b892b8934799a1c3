import { setTimeout as delay } from 'node:timers/promises';
import type { OverlayApply, OverlayEntry, OverlayReport } from '../../protocol/boxd.ts';
import type { StageReport } from '../../protocol/boxes.ts';
import type { Applied, DotfileTrouble } from '../../protocol/dotfiles.ts';
import type { TakenOut } from '../../protocol/dotfilesSwitch.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { InTurn } from '../boxes/inTurn.ts';
import type { Dotfiles } from '../dotfiles/dotfiles.ts';
import type { Overlay } from '../dotfiles/overlay.ts';
import { appliedFrom, diffOverlays, takenOutFrom } from './overlayDiff.ts';
import { OverlayTroubles } from './overlayTroubles.ts';
import { dotfilesOff } from './repositorySettings.ts';

export interface LiveOverlayParts {
  readonly dotfiles: Pick<Dotfiles, 'overlay' | 'contents' | 'keepDrift'>;
  /** The user's box from the moment that it answers. */
  readonly reachable: (userId: string) => RunningBox | undefined;
  readonly publish: (userId: string, event: SpoonEvent) => void;
  /** A home that could not be brought up to date; saves are not held up by it. */
  readonly onError: (error: unknown, userId: string) => void;
  /** What the box has as the overlay wants it, from now on and until somebody changes it there. */
  readonly onWritten: (box: RunningBox, paths: readonly string[]) => void;
  /** Dotfiles are turned off: the home is to have nothing of them. */
  readonly isOff: (userId: string) => Promise<boolean>;
  /** A home has nothing of them any more. @param found undefined where that was so before */
  readonly onTakenOut: (userId: string, found: TakenOut | undefined) => Promise<void>;
  /** How long a save waits for the box. */
  readonly waitMs?: number;
}

const defaultWaitMs = 5_000;
/** What a home has whose owner has turned dotfiles off. The digest is of nobody's overlay: those are hashes. */
const offOverlay: Overlay = { digest: 'off', entries: [] };
const offDetail = 'Dotfiles are turned off: nothing of Spoon is in the home.';

/**
 * Brings saved dotfiles to the user's running box: all of them when it starts, each change as it is made. Per user one after
 * another. What is sent is the difference to what the box is known to have, so a change that got lost on the way goes along
 * with the next one. It never opens a home: boxd writes, as the user.
 */
export class LiveOverlay {
  readonly #parts: LiveOverlayParts;
  readonly #turns = new InTurn();
  /** What a run of a box has for certain; nothing is known of one where an apply failed. */
  readonly #known = new WeakMap<RunningBox, Overlay>();
  /** What did not go smoothly when it was last sent: of several saves at once one run carries all, and each asks here. */
  readonly #troubles: OverlayTroubles;

  constructor(parts: LiveOverlayParts) {
    this.#parts = parts;
    this.#troubles = new OverlayTroubles(parts.publish);
  }

  /** What keeps dotfiles from being in the user's running box as they are stored. */
  troubles(userId: string): DotfileTrouble[] {
    return this.#parts.reachable(userId) === undefined ? [] : this.#troubles.list(userId);
  }

  /** Somebody has decided about an edit that was in the way of this one. */
  decided(userId: string, path: string): void {
    if (this.#troubles.get(userId, path).state === 'conflict') this.#troubles.settle(userId, [path]);
  }

  /** What the user's home is to have. */
  async wanted(userId: string): Promise<Overlay> {
    return (await this.#parts.isOff(userId)) ? offOverlay : this.#parts.dotfiles.overlay(userId);
  }

  /** After the commit of a save. By path what became of it; does not reject for a box's sake. */
  async applyChange(
    userId: string,
    change: { readonly saved?: readonly HomePath[]; readonly removed?: readonly HomePath[] },
  ): Promise<Map<string, Applied>> {
    const paths = [...(change.saved ?? []), ...(change.removed ?? [])];
    const all = (applied: Applied) => new Map<string, Applied>(paths.map((path) => [path, applied]));
    if (await this.#parts.isOff(userId)) return all({ state: 'off' });
    const box = this.#parts.reachable(userId);
    if (box === undefined) return all({ state: 'boxOff' });
    const pending = (detail: string) => {
      const answers = all({ state: 'pending', detail });
      this.#troubles.note(userId, answers);
      return answers;
    };
    let isDone = false;
    const work = this.#turns
      .run(userId, () => this.#bringUpToDate(box))
      .then(() => {
        isDone = true;
      });
    const tooLong = new AbortController();
    const { waitMs = defaultWaitMs } = this.#parts;
    try {
      await Promise.race([work, delay(waitMs, undefined, { signal: tooLong.signal, ref: false })]);
      if (!isDone) {
        // It goes on without the save, which has been answered.
        work.then(
          () => this.#endPending(userId, paths),
          (error: unknown) => this.#parts.onError(error, userId),
        );
        return pending('It is saved. The box takes long and will have it in a moment.');
      }
      return new Map(paths.map((path) => [path, this.#troubles.get(userId, path)]));
    } catch (error) {
      if (this.#parts.reachable(userId) !== box) return all({ state: 'boxOff' });
      this.#parts.onError(error, userId);
      return pending('It is saved. The box did not take it; the next save or start brings it.');
    } finally {
      tooLong.abort();
    }
  }

  /** Checks the whole home and repairs it. A failure is a stage that failed: it never keeps a box from starting. */
  async applyAll(box: RunningBox): Promise<StageReport[]> {
    const { userId } = box.user;
    const startedMs = Date.now();
    const start = performance.now();
    const stage = (state: StageReport['state'], detail: string): StageReport[] => [
      { name: 'overlay', state, startedMs, durationMs: performance.now() - start, detail },
    ];
    try {
      return await this.#turns.run(userId, async () => {
        const overlay = await this.wanted(userId);
        if (await box.boxd.isUpToDate(overlay.digest)) {
          this.#known.set(box, overlay);
          this.#troubles.settle(userId, 'all');
          if (overlay === offOverlay) await this.#parts.onTakenOut(userId, undefined);
          return stage('ok', overlay === offOverlay ? offDetail : 'Everything was in place.');
        }
        return await this.#applyWhole(box, overlay);
      });
    } catch (error) {
      this.#parts.onError(error, userId);
      const why = error instanceof SpoonError ? error.title : 'Something in the service went wrong.';
      const isFull = error instanceof SpoonError && error.code === 'insufficient-storage';
      const next = isFull
        ? 'delete what is large (spoonctl home usage shows it), then apply them again'
        : 'apply them again';
      return stage('failed', `${why} The dotfiles are safe in Spoon; ${next}.`);
    }
  }

  /** Into a home that is thrown away: nothing that it has otherwise is kept, and nobody is told. @throws SpoonError */
  async applyTo(box: RunningBox): Promise<StageReport[]> {
    const { userId } = box.user;
    const overlay = await this.wanted(userId);
    const needed = await box.boxd.neededPaths(overlay);
    const whole: OverlayApply = { scope: 'whole', digest: overlay.digest, entries: overlay.entries, removed: [] };
    const contents = this.#parts.dotfiles.contents(userId, needed as HomePath[]);
    return (await box.boxd.applyOverlay(whole, contents)).stages;
  }

  /**
   * Writes one dotfile into the running box again, whatever a person did to it there; that is kept as a version first.
   * @throws SpoonError `box-stopped`, `box-unavailable`, `not-found`
   */
  async writeAgain(userId: string, path: HomePath): Promise<Applied> {
    const box = this.#parts.reachable(userId);
    if (box === undefined) throw new SpoonError('box-stopped', 'Its home gets the dotfile at the next start.');
    if (await this.#parts.isOff(userId)) throw dotfilesOff();
    return this.#turns.run(userId, async () => {
      await this.#bringUpToDate(box);
      const overlay = await this.#parts.dotfiles.overlay(userId);
      const entries = overlay.entries.filter((entry) => entry.path === path);
      if (entries.length === 0) throw new SpoonError('not-found');
      const change: OverlayApply = {
        scope: 'change',
        base: overlay.digest,
        digest: overlay.digest,
        entries,
        removed: [],
      };
      const { applied } = await this.#send(box, overlay, change, pathsWithBytes(entries));
      // What was in the way is what was to be written over.
      this.decided(userId, path);
      return applied.get(path) ?? { state: 'applied' };
    });
  }

  async #bringUpToDate(box: RunningBox): Promise<void> {
    const overlay = await this.wanted(box.user.userId);
    const known = this.#known.get(box);
    if (known === undefined) {
      await this.#applyWhole(box, overlay);
      return;
    }
    const diff = diffOverlays(known.entries, overlay.entries);
    if (diff.entries.length === 0 && diff.removed.length === 0) return;
    const change: OverlayApply = { scope: 'change', base: known.digest, digest: overlay.digest, ...diff };
    await this.#send(box, overlay, change, pathsWithBytes(diff.entries));
  }

  async #applyWhole(box: RunningBox, overlay: Overlay): Promise<StageReport[]> {
    const needed = await box.boxd.neededPaths(overlay);
    const whole: OverlayApply = { scope: 'whole', digest: overlay.digest, entries: overlay.entries, removed: [] };
    const { report, applied } = await this.#send(box, overlay, whole, needed as HomePath[]);
    // What stays then is told as a whole.
    if (overlay === offOverlay) return report.stages.map((one) => ({ ...one, detail: one.detail ?? offDetail }));
    for (const [path, result] of applied) {
      // Nobody waits for an answer here, but the tree should flag it.
      if (result.state !== 'applied') {
        this.#parts.publish(box.user.userId, { type: 'dotfile.applied', path, applied: result });
      }
    }
    return report.stages;
  }

  async #send(
    box: RunningBox,
    overlay: Overlay,
    apply: OverlayApply,
    paths: readonly HomePath[],
  ): Promise<{ report: OverlayReport; applied: Map<string, Applied> }> {
    const { userId } = box.user;
    // Until the box has said what it did, nothing is known of it.
    this.#known.delete(box);
    const sent: OverlayApply = overlay === offOverlay ? { ...apply, restore: true } : apply;
    const report = await box.boxd.applyOverlay(sent, this.#parts.dotfiles.contents(userId, paths));
    this.#known.set(box, overlay);
    if (overlay === offOverlay) await this.#parts.onTakenOut(userId, takenOutFrom(report.outcomes));
    const written = report.outcomes.filter(({ result }) => result !== 'refused' && result !== 'kept');
    this.#parts.onWritten(
      box,
      written.map(({ path }) => path),
    );
    const applied = await this.#outcomes(box, apply, report);
    this.#settle(userId, overlay, apply, applied);
    return { report, applied };
  }

  #settle(userId: string, overlay: Overlay, apply: OverlayApply, applied: ReadonlyMap<string, Applied>): void {
    const about = [...apply.entries.map(({ path }) => path), ...apply.removed];
    if (apply.scope === 'change') {
      this.#troubles.settle(userId, about, applied);
      return;
    }
    // What stays of dotfiles that are off is told as a whole; and a box may name what nobody has.
    const entries = overlay === offOverlay ? new Set<string>() : new Set(about);
    this.#troubles.settle(userId, 'all', new Map([...applied].filter(([path]) => entries.has(path))));
  }

  /** Another run may have brought them: then this one had nothing to send, and nobody has told. */
  #endPending(userId: string, paths: readonly string[]): void {
    const left = paths.filter((path) => this.#troubles.get(userId, path).state === 'pending');
    this.#troubles.settle(userId, left);
  }

  /** A box speaks of the files that it was sent, and of no others. */
  async #outcomes(box: RunningBox, apply: OverlayApply, report: OverlayReport): Promise<Map<string, Applied>> {
    const entries = new Map(apply.entries.map((entry) => [entry.path, entry]));
    const applied = new Map<string, Applied>();
    for (const outcome of report.outcomes) {
      const { path, backup, backupKind } = outcome;
      const entry = entries.get(path);
      if (apply.scope === 'change' && entry === undefined && !apply.removed.includes(path)) continue;
      // Once: a box that names one a thousand times would have as many backups fetched and stored.
      if (applied.has(path)) continue;
      applied.set(path, appliedFrom(outcome));
      if (entry === undefined || backup === undefined || backupKind !== 'edit') continue;
      try {
        const bytes = await box.boxd.backup(backup);
        const { mode } = entry;
        await this.#parts.dotfiles.keepDrift(box.user.userId, {
          path: path as HomePath,
          bytes,
          mode,
          base: outcome.base,
        });
      } catch (error) {
        this.#parts.onError(error, box.user.userId);
        const detail = 'It had been changed in the box. That edit could not be read; it is below ~/.spoon/backup.';
        applied.set(path, { state: 'conflict', detail });
      }
    }
    return applied;
  }
}

/** A folder has none. */
function pathsWithBytes(entries: readonly OverlayEntry[]): HomePath[] {
  return entries.filter(({ kind }) => kind !== 'directory').map(({ path }) => path as HomePath);
}
