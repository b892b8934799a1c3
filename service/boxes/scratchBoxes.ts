import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';
import { layAuthorities } from './authorities.ts';
import { BoxdLink } from './boxdLink.ts';
import type { BoxesOptions } from './boxesOptions.ts';
import type { BoxSpec } from './engine.ts';
import { ensureHome } from './homes.ts';
import { InTurn } from './inTurn.ts';
import { openBox } from './openBox.ts';
import { setHomeAside } from './removedHomes.ts';
import type { BoxUser, RunningBox } from './runningBox.ts';
import { writeSystemFiles } from './systemFiles.ts';
import { specOf } from './userSpec.ts';

const dialMs = 30_000;
const graceMs = 1_000;
/** So long a test waits until its copy is erased, which goes on without it. */
const eraseMs = 20_000;
const againMs = 60_000;
/** No username has a dot. */
const scratchEnding = '.scratch';
const scratchName = /^\.scratch-(\d{1,10})$/;

export interface ScratchHome {
  /**
   * A box on it, for as long as `work` takes.
   * @param seesHome the user's real home is there too, read-only: only for what runs nothing that is not Spoon's
   */
  within<T>(options: { seesHome: boolean; signal: AbortSignal }, work: (box: RunningBox) => Promise<T>): Promise<T>;
}

type Options = Pick<BoxesOptions, 'engine' | 'places' | 'settings' | 'limitsOf' | 'report'> & {
  /** As `Boxes.eraseRemovedHomes`. */
  readonly eraseRemovedHomes: () => Promise<boolean>;
};

/** Throw-away boxes: those of a user in all but the home, and the name that engines know them by. One per user at a time. */
export class ScratchBoxes {
  readonly #options: Options;
  readonly #turns = new InTurn();
  /** What could not be removed yet, by the name of the box. */
  readonly #left = new Set<string>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws SpoonError what {@link Engine.start} throws, `scratch-unavailable`, `box-unavailable`; what `work` throws */
  withHome<T>(user: BoxUser, work: (home: ScratchHome) => Promise<T>): Promise<T> {
    const { places, settings, engine } = this.#options;
    const real = specOf(this.#options, user);
    const name = nameOf(user);
    const folder = scratchFolder(real.uid);
    const spec: BoxSpec = {
      ...specOf(this.#options, { ...user, username: name }),
      login: user.username,
      homePath: join(places.homesDir, folder),
    };
    const git = { trustsHome: settings.authorities !== undefined };
    return this.#turns.run(name, async () => {
      try {
        // One that an earlier service left may have the real home.
        await engine.stop(name, graceMs);
        await ensureHome(places.homesDir, real);
        await ensureHome(places.homesDir, { ...spec, username: folder });
        await writeSystemFiles(join(places.etcDir, name), { ...spec, username: user.username }, git);
        return await work({
          within: (options, inside) =>
            this.#within(
              user,
              options.seesHome ? { ...spec, copiedHome: real.homePath } : spec,
              options.signal,
              inside,
            ),
        });
      } finally {
        await this.#remove(name, real.uid);
      }
    });
  }

  /** Whether nothing is left of the user's last one: an engine that is away removes nothing, and many files take their time. */
  isGone(user: BoxUser): boolean {
    return !this.#left.has(nameOf(user));
  }

  /** Of what a service left that was ended meanwhile. Not waited for: no start is held up by it. */
  async sweep(): Promise<void> {
    const { places, report } = this.#options;
    for (const folder of await readdir(places.homesDir)) {
      const uid = scratchName.exec(folder)?.[1];
      if (uid !== undefined) {
        await setHomeAside(places.homesDir, { username: folder, uid: Number(uid) }).catch(report);
      }
    }
    const names = await Promise.all([places.runDir, places.etcDir].map((place) => readdir(place)));
    for (const name of new Set(names.flat().filter((name) => name.endsWith(scratchEnding)))) {
      void this.#turns.run(name, () => this.#remove(name));
    }
  }

  async #within<T>(
    user: BoxUser,
    spec: BoxSpec,
    signal: AbortSignal,
    work: (box: RunningBox) => Promise<T>,
  ): Promise<T> {
    const { engine, settings } = this.#options;
    const link = await BoxdLink.listen({ socketDir: spec.socketDir });
    try {
      await layAuthorities(spec.socketDir, settings.authorities);
      signal.throwIfAborted();
      try {
        const started = await engine.start(spec, signal);
        const box = await openBox(link, started, { user, timeoutMs: dialMs, signal, onSilence: () => undefined });
        try {
          return await work(box);
        } finally {
          box.pulse.close();
        }
      } finally {
        await engine.stop(spec.username, graceMs);
      }
    } finally {
      await link.close();
    }
  }

  /** Never rejects: what is left is tried again until nothing is. */
  async #remove(name: string, uid?: number): Promise<void> {
    this.#left.add(name);
    try {
      await this.#removeNow(name, uid);
      this.#left.delete(name);
    } catch (error) {
      this.#options.report(error);
      const again = async () => {
        if (this.#left.has(name)) await this.#remove(name, uid);
      };
      setTimeout(() => void this.#turns.run(name, again), againMs).unref();
    }
  }

  async #removeNow(name: string, uid: number | undefined): Promise<void> {
    const { places, engine, eraseRemovedHomes } = this.#options;
    await engine.stop(name, graceMs);
    for (const place of [places.runDir, places.etcDir]) await rm(join(place, name), { recursive: true, force: true });
    if (uid === undefined) return;
    await setHomeAside(places.homesDir, { username: scratchFolder(uid), uid });
    const slow = new AbortController();
    const isErased = await Promise.race([
      eraseRemovedHomes(),
      delay(eraseMs, false, { signal: slow.signal, ref: false }),
    ]).finally(() => slow.abort());
    if (!isErased) throw new SpoonError('engine-unavailable', 'A copy of a home is not erased yet.');
  }
}

function nameOf({ username }: BoxUser): string {
  return `${username}${scratchEnding}`;
}

function scratchFolder(uid: number): string {
  return `.scratch-${uid}`;
}
