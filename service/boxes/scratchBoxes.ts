import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { layAuthorities } from './authorities.ts';
import { BoxdLink } from './boxdLink.ts';
import type { BoxesOptions } from './boxesOptions.ts';
import type { BoxSpec } from './engine.ts';
import { ensureHome } from './homes.ts';
import { openBox } from './openBox.ts';
import { setHomeAside } from './removedHomes.ts';
import type { BoxUser, RunningBox } from './runningBox.ts';
import { writeSystemFiles } from './systemFiles.ts';
import { specOf } from './userSpec.ts';

const dialMs = 30_000;
const graceMs = 1_000;
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

/** Throw-away boxes: those of a user in all but the home, and the name that engines know them by. */
export class ScratchBoxes {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws SpoonError what {@link Engine.start} throws, `scratch-unavailable`, `box-unavailable`; what `work` throws */
  async withHome<T>(user: BoxUser, work: (home: ScratchHome) => Promise<T>): Promise<T> {
    const { places, settings, engine, report } = this.#options;
    const real = specOf(this.#options, user);
    const name = `${user.username}${scratchEnding}`;
    const folder = scratchFolder(real.uid);
    const spec: BoxSpec = {
      ...specOf(this.#options, { ...user, username: name }),
      login: user.username,
      homePath: join(places.homesDir, folder),
    };
    const git = { trustsHome: settings.authorities !== undefined };
    try {
      await ensureHome(places.homesDir, real);
      await ensureHome(places.homesDir, { ...spec, username: folder });
      await writeSystemFiles(join(places.etcDir, name), { ...spec, username: user.username }, git);
      return await work({
        within: (options, inside) =>
          this.#within(user, options.seesHome ? { ...spec, copiedHome: real.homePath } : spec, options.signal, inside),
      });
    } finally {
      await engine.stop(name, graceMs).catch(report);
      for (const place of [places.runDir, places.etcDir]) {
        await rm(join(place, name), { recursive: true, force: true }).catch(report);
      }
      await this.#remove(folder, real.uid).catch(report);
    }
  }

  /** Homes that a service left which was ended meanwhile; their boxes go when boxes are adopted. */
  async sweep(): Promise<void> {
    const { homesDir, runDir, etcDir } = this.#options.places;
    for (const folder of await readdir(homesDir)) {
      const uid = scratchName.exec(folder)?.[1];
      if (uid !== undefined) await setHomeAside(homesDir, { username: folder, uid: Number(uid) });
    }
    for (const place of [runDir, etcDir]) {
      const names = (await readdir(place)).filter((name) => name.endsWith(scratchEnding));
      for (const name of names) await rm(join(place, name), { recursive: true, force: true });
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
      const started = await engine.start(spec, signal);
      const box = await openBox(link, started, { user, timeoutMs: dialMs, signal, onSilence: () => undefined });
      try {
        return await work(box);
      } finally {
        box.pulse.close();
      }
    } finally {
      await engine.stop(spec.username, graceMs);
      await link.close();
    }
  }

  async #remove(folder: string, uid: number): Promise<void> {
    // What an earlier one may have left under the name that it gets.
    await this.#options.eraseRemovedHomes();
    await setHomeAside(this.#options.places.homesDir, { username: folder, uid });
    await this.#options.eraseRemovedHomes();
  }
}

function scratchFolder(uid: number): string {
  return `.scratch-${uid}`;
}
