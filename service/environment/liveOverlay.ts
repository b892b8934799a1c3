import type { OverlayEntry, OverlayOutcome, OverlayReport } from '../../protocol/boxd.ts';
import type { StageReport } from '../../protocol/boxes.ts';
import type { Applied } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { defaultFileMode } from '../../protocol/fileMode.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { maxFileBytes } from '../../protocol/limits.ts';
import { frame } from '../../protocol/overlayFrames.ts';
import type { Boxes, RunningBox } from '../boxes/boxes.ts';
import type { Dotfiles } from '../dotfiles/dotfiles.ts';
import { diffOverlay, type OverlaySnapshot, snapshotOf } from './overlayDiff.ts';

/** A save waits this long for the box; then it is told as `pending` and arrives with the next one that gets through. */
const applyWaitMs = 5_000;
const encoder = new TextEncoder();

interface UserState {
  /** The end of the queue: one reconciliation per user at a time, so that a box never sees an older overlay last. */
  turn: Promise<void>;
  /** Which box `known` is about. */
  box: RunningBox | undefined;
  known: OverlaySnapshot;
  /** The digest of `known`: boxd takes a change over only when it stands exactly there. */
  knownDigest: string;
  /** What did not go smoothly when it was last tried, by path. */
  troubles: Map<string, Applied>;
}

export interface OverlayChange {
  readonly saved?: readonly HomePath[];
  readonly removed?: readonly HomePath[];
}

/**
 * Carries the stored overlay into running boxes: everything when a box starts, the difference on every save. The store is
 * the truth; a box is brought to it again and again, so a change that a dead service never sent is sent with the next one.
 * Never opens anything in a home itself: boxd writes, as the user.
 */
export class LiveOverlay {
  readonly #dotfiles: Dotfiles;
  readonly #boxes: () => Boxes;
  readonly #warn: (message: string, error: unknown) => void;
  readonly #users = new Map<string, UserState>();

  constructor(parts: { dotfiles: Dotfiles; boxes: () => Boxes; warn: (message: string, error: unknown) => void }) {
    this.#dotfiles = parts.dotfiles;
    this.#boxes = parts.boxes;
    this.#warn = parts.warn;
  }

  /** What became of each path of a committed change, in the box of its user. Never throws: the save itself has succeeded. */
  async applyChange(userId: string, change: OverlayChange): Promise<Map<string, Applied>> {
    const paths = [...(change.saved ?? []), ...(change.removed ?? [])];
    const all = (applied: Applied) => new Map(paths.map((path) => [path as string, applied]));
    const box = this.#boxes().running(userId);
    if (box === undefined) return all({ state: 'boxOff' });
    const done = this.#inTurn(userId, async (state) => {
      await this.#reconcile(state, box);
      return new Map(paths.map((path): [string, Applied] => [path, state.troubles.get(path) ?? { state: 'applied' }]));
    }).catch((error: unknown) => {
      this.#warn('a saved dotfile did not reach its box', error);
      const detail =
        error instanceof SpoonError
          ? error.message
          : 'The box did not take it. The log of the service has the details.';
      return all({ state: 'pending', detail: `${detail} The file is saved and will reach the box later.` });
    });
    return withinMs(done, applyWaitMs, () =>
      all({ state: 'pending', detail: 'The box is slow to answer; the file will reach it.' }),
    );
  }

  /**
   * Brings a box to the whole overlay: a look when nothing changed, otherwise only the bytes that it does not have.
   * @throws SpoonError `box-unavailable`, `box-misbehaved`
   */
  applyAll(box: RunningBox): Promise<StageReport[]> {
    return this.#inTurn(box.user.userId, async (state) => {
      const startedMs = Date.now();
      const start = performance.now();
      const stage = (detail?: string): StageReport => ({
        name: 'overlay',
        state: 'ok',
        startedMs,
        durationMs: performance.now() - start,
        ...(detail === undefined ? {} : { detail }),
      });
      const { userId } = box.user;
      const { digest, entries } = await this.#dotfiles.overlay(userId);
      const { upToDate } = await box.boxd.checkOverlay({ digest });
      state.box = box;
      state.known = snapshotOf(entries);
      state.knownDigest = digest;
      state.troubles.clear();
      if (upToDate) return [stage('nothing to do')];
      const { needed } = await box.boxd.planOverlay({ digest, entries });
      const wanted = new Set(entries.map((entry) => entry.path));
      const paths = needed.filter((path) => wanted.has(path)) as HomePath[];
      const report = await box.boxd.applyOverlay(
        this.#body(userId, { scope: 'whole', digest, entries, removed: [] }, paths),
      );
      await this.#take(state, box, { report, entries });
      const troubles = [...state.troubles.keys()];
      return [
        ...report.stages.filter((other) => other.name !== 'overlay'),
        stage(
          troubles.length === 0
            ? `${paths.length} written`
            : `${troubles.length} need a look: ${troubles.slice(0, 5).join(', ')}`,
        ),
      ];
    });
  }

  async #reconcile(state: UserState, box: RunningBox): Promise<void> {
    const { userId } = box.user;
    const { digest, entries } = await this.#dotfiles.overlay(userId);
    const known = state.box === box ? state.known : undefined;
    if (known === undefined) throw new SpoonError('box-unavailable', 'The box is still being prepared.');
    const diff = diffOverlay(known, entries);
    if (diff.entries.length === 0 && diff.removed.length === 0) return;
    for (const path of [...diff.entries.map((entry) => entry.path), ...diff.removed]) state.troubles.delete(path);
    const paths = diff.entries.filter((entry) => entry.kind !== 'directory').map((entry) => entry.path as HomePath);
    const report = await box.boxd.applyOverlay(
      this.#body(
        userId,
        { scope: 'change', digest, base: state.knownDigest, entries: diff.entries, removed: diff.removed },
        paths,
      ),
    );
    state.known = snapshotOf(entries);
    state.knownDigest = digest;
    await this.#take(state, box, { report, entries });
  }

  async *#body(userId: string, head: object, paths: readonly HomePath[]): AsyncGenerator<Uint8Array> {
    yield* frame(encoder.encode(JSON.stringify(head)));
    for await (const { path, bytes } of this.#dotfiles.contents(userId, paths)) {
      yield* frame(encoder.encode(path));
      yield* frame(bytes);
    }
  }

  async #take(
    state: UserState,
    box: RunningBox,
    { report, entries }: { report: OverlayReport; entries: readonly OverlayEntry[] },
  ): Promise<void> {
    const modes = new Map(entries.map((entry) => [entry.path, entry.mode]));
    for (const outcome of report.outcomes) {
      if (outcome.backupKind === 'edit' && outcome.backup !== undefined)
        await this.#keepEdit(box, outcome, modes.get(outcome.path) ?? defaultFileMode);
      const applied = appliedOf(outcome);
      if (applied !== undefined) state.troubles.set(outcome.path, applied);
    }
  }

  /** Decision 5: a hand edit that was in the way becomes a version of origin `drift`; its copy in the home stays too. */
  async #keepEdit(box: RunningBox, outcome: OverlayOutcome, mode: number): Promise<void> {
    try {
      const bytes = await box.boxd.readBackup(outcome.backup ?? '', maxFileBytes);
      await this.#dotfiles.keepDrift(box.user.userId, outcome.path as HomePath, bytes, mode);
    } catch (error) {
      this.#warn('a hand edit is kept in the home only', error);
    }
  }

  #inTurn<T>(userId: string, work: (state: UserState) => Promise<T>): Promise<T> {
    let state = this.#users.get(userId);
    if (state === undefined) {
      state = { turn: Promise.resolve(), box: undefined, known: new Map(), knownDigest: '', troubles: new Map() };
      this.#users.set(userId, state);
    }
    const mine = state;
    const result = mine.turn.then(() => work(mine));
    mine.turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}

function appliedOf(outcome: OverlayOutcome): Applied | undefined {
  if (outcome.result === 'refused') {
    return { state: 'refused', detail: outcome.detail ?? outcome.code ?? 'The box refused it.' };
  }
  if (outcome.result === 'kept') {
    return { state: 'conflict', detail: `${outcome.path} was changed in the home, so it was left there.` };
  }
  if (outcome.backup !== undefined) {
    const what = outcome.backupKind === 'symlink' ? 'A symbolic link' : 'A file that was changed by hand';
    return { state: 'conflict', detail: `${what} was in the way. It is kept as ~/${outcome.backup}.` };
  }
  return undefined;
}

async function withinMs<T>(work: Promise<T>, limitMs: number, otherwise: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise()), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
