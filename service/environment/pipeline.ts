import type { StageReport } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import type { DotfilesRepository } from './dotfilesRepository.ts';
import type { LiveOverlay } from './liveOverlay.ts';

export interface PipelineParts {
  readonly repository: DotfilesRepository;
  readonly overlay: Pick<LiveOverlay, 'applyAll'>;
  readonly onError: (error: unknown, userId: string) => void;
}

/**
 * What a box that has just come up goes through (design section 6): repository, setup, overlay, in this order. Nothing in
 * it keeps the box from starting: a stage that failed says so, and the terminal opens.
 */
export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /**
   * @param waiting `openNow`: somebody does not want to wait for a setup; it goes on beside them
   * @returns the stages as they stand
   */
  async bringUp(
    box: RunningBox,
    { openNow, signal }: { openNow: AbortSignal; signal?: AbortSignal | undefined },
  ): Promise<StageReport[]> {
    const { repository, overlay, onError } = this.#parts;
    const { userId } = box.user;
    const startedMs = Date.now();
    try {
      const begun = await repository.begin(box);
      if (begun === undefined) {
        const stages = await overlay.applyAll(box);
        this.#lookForUpdate(box);
        return stages;
      }
      // Before it too: a setup, and whoever does not wait for it, finds the dotfiles that the overlay has.
      const written = await overlay.applyAll(box);
      await Promise.race([begun.done, aborted(openNow), ...(signal === undefined ? [] : [aborted(signal)])]);
      const { run } = await repository.state(userId);
      return [...(run?.stages ?? []), ...written];
    } catch (error) {
      onError(error, userId);
      const isOld = error instanceof SpoonError && error.code === 'not-found';
      const why = isOld
        ? 'Your box runs an older Spoon that cannot do this. Restart it.'
        : error instanceof SpoonError
          ? error.message
          : 'Something in the service went wrong.';
      const durationMs = Date.now() - startedMs;
      return [
        { name: 'repository', state: 'failed', startedMs, durationMs, detail: why },
        ...(await overlay.applyAll(box)),
      ];
    }
  }

  /** In the background, so that nobody waits for a server: until the answer is there, the last known commit counts. */
  #lookForUpdate(box: RunningBox): void {
    this.#parts.repository.check(box).catch((error: unknown) => {
      const isQuiet =
        error instanceof SpoonError && ['repository-none', 'repository-off', 'dotfiles-off'].includes(error.code);
      if (!isQuiet) this.#parts.onError(error, box.user.userId);
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
