import type { Store } from './database.ts';

/** Of what was written while the disk was held. */
export interface Held {
  /** Resolves when the first of it is committed: others see it, and its writer does not know. */
  readonly committed: Promise<void>;
  /** What is written from now on does not wait. */
  letOthersPass(): void;
  release(): void;
}

/** A store over a disk that a test can hold: transactions are committed as always, and resolve only when it is let go. */
export function withHeldDisk(store: Store): { readonly store: Store; hold(): Held } {
  let held: { readonly disk: Promise<void>; readonly onCommit: () => void } | undefined;
  return {
    store: {
      ...store,
      transaction: async (work) => {
        const mine = held;
        const done = await store.transaction(work);
        mine?.onCommit();
        await mine?.disk;
        return done;
      },
    },
    hold() {
      const disk = Promise.withResolvers<void>();
      const first = Promise.withResolvers<void>();
      held = { disk: disk.promise, onCommit: first.resolve };
      const letOthersPass = () => {
        held = undefined;
      };
      return {
        committed: first.promise,
        letOthersPass,
        release: () => {
          letOthersPass();
          disk.resolve();
        },
      };
    },
  };
}
