import type { Applied, DotfileTrouble } from '../../protocol/dotfiles.ts';
import type { SpoonEvent } from '../../protocol/events.ts';

const isWell: Applied = { state: 'applied' };

/**
 * What keeps dotfiles from being in their user's home as they are stored. By user and not by box: the next start may repair
 * it, and the windows, which were told of it, are told when it is over.
 */
export class OverlayTroubles {
  readonly #publish: (userId: string, event: SpoonEvent) => void;
  readonly #byUser = new Map<string, Map<string, Applied>>();

  constructor(publish: (userId: string, event: SpoonEvent) => void) {
    this.#publish = publish;
  }

  get(userId: string, path: string): Applied {
    return this.#byUser.get(userId)?.get(path) ?? isWell;
  }

  list(userId: string): DotfileTrouble[] {
    const all = [...(this.#byUser.get(userId) ?? [])].map(([path, applied]) => ({ path, applied }));
    return all.filter(({ applied }) => applied.state !== 'applied');
  }

  /** They have been answered for: whoever answered tells the windows. */
  note(userId: string, found: ReadonlyMap<string, Applied>): void {
    this.#keep(userId, new Map([...(this.#byUser.get(userId) ?? []), ...found]));
  }

  /**
   * What a run has come to. Tells of each path that was in trouble and is in another one now, or in none.
   * @param about the paths that it was about: those that are not in `found` are well. `all`: nothing else is in trouble
   */
  settle(userId: string, about: readonly string[] | 'all', found: ReadonlyMap<string, Applied> = new Map()): void {
    const before = this.#byUser.get(userId) ?? new Map<string, Applied>();
    const now = new Map(about === 'all' ? [] : before);
    if (about !== 'all') for (const path of about) now.delete(path);
    for (const [path, applied] of found) now.set(path, applied);
    this.#keep(userId, now);
    for (const [path, was] of before) {
      const applied = this.get(userId, path);
      if (applied.state !== was.state) this.#publish(userId, { type: 'dotfile.applied', path, applied });
    }
  }

  #keep(userId: string, all: Map<string, Applied>): void {
    for (const [path, { state, detail }] of all) if (state === 'applied' && detail === undefined) all.delete(path);
    if (all.size === 0) this.#byUser.delete(userId);
    else this.#byUser.set(userId, all);
  }
}
