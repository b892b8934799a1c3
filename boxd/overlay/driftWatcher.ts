import type { DriftReport, HomeDrift } from '../../protocol/boxd.ts';
import { driftWaitMs, maxReportedDrifts } from '../../protocol/limits.ts';
import { FolderWatches } from './folderWatches.ts';
import type { Overlay } from './overlay.ts';

interface Options {
  readonly log: (line: string) => void;
  readonly maxWatches?: number;
  /** Between two looks at files whose folders are not watched. */
  readonly pollMs?: number;
}

/** Of the kernel's watches, of which a user has 8,192 on a small machine: enough for any home with fewer folders. */
const defaultMaxWatches = 512;
const defaultPollMs = 3_000;
/** An editor that saves makes several events within a few milliseconds. */
const shortestSettleMs = 60;
/** A program that writes a managed file without end costs a tenth of a core at most. */
const restFactor = 10;

/**
 * Knows which managed files a person or program has changed in the home: looks at all of them once, then at those in which
 * the kernel sees something happen. Does nothing until the service asks for the first time.
 */
export class DriftWatcher {
  readonly #overlay: Overlay;
  readonly #log: (line: string) => void;
  readonly #watches: FolderWatches;
  readonly #pollMs: number;
  readonly #drifts = new Map<string, HomeDrift>();
  readonly #dirty = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #managed: ReadonlySet<string> = new Set();
  /** Also tells a boxd that was started anew from the one before. */
  #sequence = Date.now();
  #started: Promise<void> | undefined;
  #settling: NodeJS.Timeout | undefined;
  #polling: NodeJS.Timeout | undefined;
  #working = false;
  #restMs = 0;

  constructor(home: string, overlay: Overlay, options: Options) {
    this.#overlay = overlay;
    this.#log = options.log;
    this.#pollMs = options.pollMs ?? defaultPollMs;
    this.#watches = new FolderWatches(home, options.maxWatches ?? defaultMaxWatches, (paths) => this.#touch(paths));
    overlay.onApplied = (paths) => this.#applied(paths);
  }

  /** As soon as something is not as it was at `after`, and at the latest after `driftWaitMs`. */
  async report(after: number): Promise<DriftReport> {
    this.#started ??= this.#start();
    try {
      await this.#started;
    } catch (error) {
      // The next one that asks may have more luck.
      this.#started = undefined;
      throw error;
    }
    if (after === this.#sequence) await this.#change();
    return { sequence: this.#sequence, drifts: [...this.#drifts.values()].slice(0, maxReportedDrifts) };
  }

  close(): void {
    clearTimeout(this.#settling);
    clearInterval(this.#polling);
    this.#watches.close();
    for (const wake of this.#waiting) wake();
  }

  async #start(): Promise<void> {
    await this.#followAll();
    this.#polling ??= setInterval(() => this.#touch(this.#watches.unwatched()), this.#pollMs).unref();
  }

  /** Watches first and looks then: what happens in between is seen twice and not never. */
  async #followAll(): Promise<void> {
    this.#follow(await this.#overlay.managedPaths());
    for (const path of [...this.#drifts.keys(), ...this.#managed]) this.#dirty.add(path);
    await this.#look();
  }

  #applied(paths: readonly string[] | undefined): void {
    if (this.#started === undefined) return;
    if (paths !== undefined) for (const path of paths) this.#dirty.add(path);
    this.#started = this.#started.then(() =>
      // What is managed may be something else now.
      paths === undefined ? this.#followAll() : this.#followChanged(paths),
    );
    this.#started.catch((error: unknown) => this.#log(`looking for changed dotfiles failed: ${error}`));
  }

  async #followChanged(touched: readonly string[]): Promise<void> {
    const paths = await this.#overlay.managedPaths();
    // A save of a file that is known already, which is nearly every save, needs no other watches.
    const isSame = paths.length === this.#managed.size && touched.every((path) => this.#managed.has(path));
    if (!isSame) this.#follow(paths);
    await this.#look();
  }

  #follow(paths: readonly string[]): void {
    this.#managed = new Set(paths);
    this.#watches.follow(paths);
  }

  #touch(paths: readonly string[]): void {
    for (const path of paths) this.#dirty.add(path);
    if (this.#dirty.size === 0 || this.#settling !== undefined || this.#working) return;
    this.#settling = setTimeout(
      () => {
        this.#settling = undefined;
        this.#look().catch((error: unknown) => this.#log(`looking for changed dotfiles failed: ${error}`));
      },
      Math.max(shortestSettleMs, this.#restMs),
    ).unref();
  }

  async #look(): Promise<void> {
    for (const path of this.#watches.renew()) this.#dirty.add(path);
    const paths = [...this.#dirty];
    this.#dirty.clear();
    if (paths.length === 0) return;
    const started = performance.now();
    this.#working = true;
    try {
      const compared = await this.#overlay.compare(paths);
      let changed = false;
      for (const [path, drift] of compared) {
        const before = this.#drifts.get(path);
        if (JSON.stringify(before) === JSON.stringify(drift)) continue;
        changed = true;
        if (drift === undefined) this.#drifts.delete(path);
        else this.#drifts.set(path, drift);
      }
      if (changed) this.#news();
    } finally {
      this.#working = false;
      this.#restMs = restFactor * (performance.now() - started);
      this.#touch([]);
    }
  }

  #news(): void {
    this.#sequence++;
    for (const wake of this.#waiting) wake();
  }

  async #change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, driftWaitMs).unref();
    this.#waiting.add(resolve);
    await promise;
    this.#waiting.delete(resolve);
    clearTimeout(timer);
  }
}
