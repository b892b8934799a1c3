import { SpoonError } from '../../protocol/errors.ts';
import type { HomeUsage } from '../../protocol/homeUsage.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import type { Quotas } from './quotas.ts';

export interface HomeSizesParts {
  readonly quotas: Pick<Quotas, 'limitsOf'>;
  /** For the log: a count beside somebody's work that failed. */
  readonly onError: (error: unknown, userId: string) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Size {
  readonly bytes: number;
  readonly atMs: number;
}

type Counted = Pick<RunningBox, 'user'> & {
  readonly boxd: { readonly home: Pick<RunningBox['boxd']['home'], 'usage'> };
};

/** Somebody who has just deleted what is large is told the truth in the terminal after the next. */
const freshMs = 60_000;
const mebi = 2 ** 20;

/**
 * How large homes are, as boxd has counted them from inside, and what a home over its quota means: Spoon itself puts nothing large
 * into it any more. What runs in the box is not stopped, and a terminal always opens: in it the room is made.
 */
export class HomeSizes {
  readonly #parts: HomeSizesParts;
  readonly #now: () => number;
  readonly #sizes = new Map<string, Size>();
  readonly #counting = new Map<string, Promise<HomeUsage>>();

  constructor(parts: HomeSizesParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  /** As it was counted last. */
  bytesOf(userId: string): number | undefined {
    return this.#sizes.get(userId)?.bytes;
  }

  /** Asks the box, once for all who ask meanwhile, and adds the quota. @throws SpoonError `box-outdated`, `box-…` */
  count(box: Counted): Promise<HomeUsage> {
    const { userId } = box.user;
    const present = this.#counting.get(userId);
    if (present !== undefined) return present;
    const counting = box.boxd.home
      .usage()
      .then((usage) => {
        this.#sizes.set(userId, { bytes: usage.usedBytes, atMs: this.#now() });
        // Not what the box may say about it.
        const { quotaBytes: _, ...counted } = usage;
        const quota = this.#quotaOf(userId);
        return quota === null ? counted : { ...counted, quotaBytes: quota };
      })
      .finally(() => this.#counting.delete(userId));
    this.#counting.set(userId, counting);
    return counting;
  }

  /** Before something large is put into the home. @throws SpoonError `home-over-quota`, and as {@link count} */
  async requireRoom(box: Counted): Promise<void> {
    const quota = this.#quotaOf(box.user.userId);
    if (quota === null) return;
    const { usedBytes } = await this.count(box);
    if (usedBytes > quota) throw new SpoonError('home-over-quota', inWords(usedBytes, quota));
  }

  /** For who opens a terminal, from the last count; a new one is begun where that was a while ago. */
  notesFor(box: Counted): string[] {
    const { userId } = box.user;
    const quota = this.#quotaOf(userId);
    if (quota === null) return [];
    const last = this.#sizes.get(userId);
    if (last === undefined || this.#now() - last.atMs > freshMs)
      this.count(box).catch((error: unknown) => this.#parts.onError(error, userId));
    if (last === undefined || last.bytes <= quota) return [];
    return [`Your home is over its quota. ${inWords(last.bytes, quota)} Until then no new threads are checked out.`];
  }

  #quotaOf(userId: string): number | null {
    return this.#parts.quotas.limitsOf(userId).homeBytes;
  }
}

function inWords(bytes: number, quota: number): string {
  const [used, most] = [Math.ceil(bytes / mebi), Math.floor(quota / mebi)];
  return `It holds ${used} MiB of at most ${most} MiB. Delete what is large (spoonctl home usage shows it), or ask your administrator for more.`;
}
