import { lstatSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HomeDrift, LayerFacts, OverlayEntry, OverlayOutcome, OverlayReport } from '../../protocol/boxd.ts';
import type { StageReport } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { defaultFileMode } from '../../protocol/fileMode.ts';
import { parentsOf, parseHomePath } from '../../protocol/homePath.ts';
import { readFrameBatches } from '../../protocol/overlayFrames.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { sha256 } from '../home/homeFiles.ts';
import { bashProfile, ensureHome } from '../home/homeStage.ts';
import { BackupPlace } from './backups.ts';
import { driftOf } from './homeDrift.ts';
import { type Manifest, ManifestFile } from './manifest.ts';
import type { Recorded } from './manifestDiff.ts';
import { decide } from './observe.ts';
import { type ApplyRequest, readApplyRequest } from './overlayRequest.ts';
import { OverlayRun } from './overlayRun.ts';
import { sweepTemporaries } from './sweepTemporaries.ts';

/** Entries between two looks at the event loop: at about 40 µs each nobody's keystroke waits longer than 1 ms. */
const entriesPerTurn = 25;
/** The same for a mere look, at about 5 µs. */
const looksPerTurn = 200;
/** The first frame lists 10,000 entries at most; the others hold a file each. */
const maxApplyFrameBytes = 32 * 1024 * 1024;
const permissionBits = 0o777;
const ownFiles = new Map<string, Recorded>([
  [
    '.bash_profile',
    {
      kind: 'file',
      content: '',
      mode: defaultFileMode,
      size: Buffer.byteLength(bashProfile),
      mtimeNs: '',
      sha256: sha256(Buffer.from(bashProfile)),
    },
  ],
]);

/**
 * The overlay in the home: which files Spoon keeps there, and bringing them to what the service wants. One request at a
 * time; each looks at the home itself and believes its manifest only where size and time agree.
 */
export class Overlay {
  /** Called after each apply with the paths that it was about, or undefined for all. */
  onApplied: (paths: readonly string[] | undefined) => void = () => {};
  readonly #home: string;
  readonly #manifestFile = new ManifestFile();
  #swept = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(home: string) {
    this.#home = home;
  }

  /** Is every file as the overlay of this digest wants it: one lstat per entry. */
  check(digest: string): Promise<boolean> {
    return this.#withHome(async (home) => {
      const manifest = this.#manifestFile.load(home);
      if (digest === '' || manifest.digest !== digest) return false;
      let looked = 0;
      for (const [path, recorded] of manifest.entries) {
        if (!looksAsLeft(`${this.#home}/${path}`, recorded)) return false;
        if (++looked % looksPerTurn === 0) await nextTurn();
      }
      return true;
    });
  }

  /** The paths whose bytes must be sent for the whole overlay. */
  plan(entries: readonly OverlayEntry[]): Promise<string[]> {
    return this.#withHome(async (home) => {
      const manifest = this.#manifestFile.load(home);
      const needed: string[] = [];
      for (const [index, entry] of entries.entries()) {
        if (index % entriesPerTurn === 0) await nextTurn();
        if (entry.kind !== 'directory' && needsBytes(home, manifest, entry)) needed.push(entry.path);
      }
      return needed;
    });
  }

  /** What Spoon has written, as its manifest says. */
  managedPaths(): Promise<string[]> {
    return this.#withHome(async (home) => [...this.#manifestFile.load(home).entries.keys()]);
  }

  /** How some of the managed paths differ from what Spoon left; undefined for one that does not, or is not managed. */
  compare(paths: Iterable<string>): Promise<Map<string, HomeDrift | undefined>> {
    return this.#withHome(async (home) => {
      const { entries } = this.#manifestFile.load(home);
      const compared = new Map<string, HomeDrift | undefined>();
      for (const path of paths) {
        const recorded = entries.get(path);
        compared.set(path, recorded && driftOf(home, path, recorded));
        if (compared.size % entriesPerTurn === 0) await nextTurn();
      }
      return compared;
    });
  }

  /** What Spoon wrote at a path, and how it differs by now. */
  describe(path: string): Promise<LayerFacts['managed']> {
    return this.#withHome(async (home) => {
      const recorded = this.#manifestFile.load(home).entries.get(path);
      if (recorded === undefined) return undefined;
      const { kind, mode, size, content } = recorded;
      return { kind, mode, size, content, state: driftOf(home, path, recorded)?.state ?? 'asLeft' };
    });
  }

  /**
   * @param body frames of protocol/overlayFrames.ts; each file is written as soon as it has arrived
   * @throws SpoonError `request-invalid`, `home-untrusted`, and whatever keeps the manifest from being written
   */
  apply(body: AsyncIterable<Uint8Array>): Promise<OverlayReport> {
    let request: ApplyRequest | undefined;
    const report = this.#withHome(async (home) => {
      const frames = readFrameBatches(body, maxApplyFrameBytes);
      const { value: firstFrames } = await frames.next();
      if (firstFrames === undefined) throw new SpoonError('request-invalid', 'The request is empty.');
      const [first = new Uint8Array(), ...more] = firstFrames as Uint8Array[];
      request = readApplyRequest(parseJson(first));
      const stages: StageReport[] = request.scope === 'whole' ? [ensureHome(this.#home)] : [];
      const startedMs = Date.now();
      const started = performance.now();
      const outcomes = await this.#write(home, request, startingWith(more, frames));
      // A profile of the overlay was in the place of the one that every home gets.
      if (request.restore) ensureHome(this.#home);
      return { outcomes, stages: [...stages, overlayStage(outcomes, startedMs, performance.now() - started)] };
    });
    return report.finally(() => {
      if (request === undefined) return;
      const { scope, entries, removed } = request;
      this.onApplied(scope === 'whole' ? undefined : [...entries.map(({ path }) => path), ...removed]);
    });
  }

  async #write(
    home: HomeDirectory,
    request: ApplyRequest,
    frames: AsyncIterable<Uint8Array[]>,
  ): Promise<OverlayOutcome[]> {
    const manifest = this.#manifestFile.load(home);
    // Backups walk by a descriptor of their own, so that the folder that is being written stays pinned.
    const backupHome = HomeDirectory.open(this.#home);
    const run = new OverlayRun({
      home,
      manifest,
      backups: new BackupPlace(backupHome, new Date()),
      ownFiles,
      restore: request.restore,
    });
    const before = manifest.digest;
    manifest.digest = '';
    try {
      this.#sweepOnce(home, request);
      await applyAll(run, manifest, request, frames);
      run.setFolderModes();
      if (run.complete && (request.scope === 'whole' || (before !== '' && before === request.base))) {
        manifest.digest = request.digest;
      }
    } finally {
      backupHome.close();
      this.#manifestFile.save(home, manifest);
    }
    return run.outcomes;
  }

  #sweepOnce(home: HomeDirectory, { scope, entries }: ApplyRequest): void {
    if (this.#swept || scope !== 'whole') return;
    this.#swept = true;
    const folders = new Set(['', '.spoon']);
    for (const { path } of entries) folders.add(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');
    sweepTemporaries(home, folders);
  }

  #withHome<T>(work: (home: HomeDirectory) => Promise<T>): Promise<T> {
    const result = this.#queue.then(async () => {
      const home = HomeDirectory.open(this.#home);
      try {
        return await work(home);
      } finally {
        home.close();
      }
    });
    this.#queue = result.catch(() => {});
    return result;
  }
}

async function applyAll(
  run: OverlayRun,
  manifest: Manifest,
  request: ApplyRequest,
  frames: AsyncIterable<Uint8Array[]>,
): Promise<void> {
  const pending = new Map(request.entries.map((entry) => [entry.path, entry]));
  const removed = new Set(request.removed);
  if (request.scope === 'whole') for (const path of manifest.entries.keys()) if (!pending.has(path)) removed.add(path);
  let done = 0;
  const isTurn = () => ++done % entriesPerTurn === 0;
  // Deepest first, so that a folder is empty when its turn comes; before the writes, which may need the place.
  for (const path of [...removed].sort().reverse()) {
    if (pending.has(path)) continue;
    run.remove(path);
    if (isTurn()) await nextTurn();
  }
  const take = (path: string, bytes?: Uint8Array) => {
    const entry = pending.get(path);
    if (entry === undefined)
      throw new SpoonError('request-invalid', 'Bytes came for a path that is not in the request.');
    pending.delete(path);
    run.apply(entry, bytes);
  };
  for (const { path, kind } of [...pending.values()].sort(byPath)) if (kind === 'directory') take(path);
  let path: string | undefined;
  for await (const arrived of frames) {
    for (const frame of arrived) {
      if (path === undefined) {
        path = Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('utf8');
        continue;
      }
      take(path, frame);
      path = undefined;
      if (isTurn()) await nextTurn();
    }
  }
  if (path !== undefined) throw new SpoonError('request-invalid', 'A path came without its bytes.');
  for (const { path } of [...pending.values()].sort(byPath)) {
    take(path);
    if (isTurn()) await nextTurn();
  }
}

async function* startingWith(first: Uint8Array[], rest: AsyncIterable<Uint8Array[]>): AsyncGenerator<Uint8Array[]> {
  yield first;
  yield* rest;
}

function byPath(a: OverlayEntry, b: OverlayEntry): number {
  return a.path < b.path ? -1 : 1;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new SpoonError('json-invalid', undefined, { cause });
  }
}

function needsBytes(home: HomeDirectory, manifest: Manifest, entry: OverlayEntry): boolean {
  try {
    const path = parseHomePath(entry.path);
    const parent = parentsOf(path).at(-1) ?? '';
    const name = path.slice(path.lastIndexOf('/') + 1);
    const { decision } = decide(home.folder(parent), name, entry, manifest.entries.get(path));
    return decision.act === 'write';
  } catch (error) {
    // A missing folder is made by the apply; anything else is for it to refuse, with the reason.
    if (error instanceof SpoonError) return true;
    throw error;
  }
}

/** By plain path: it is only looked at, and a link in the way shows what the person's programs would see too. */
function looksAsLeft(path: string, recorded: Recorded): boolean {
  if (recorded.kind === 'directory') {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isDirectory() === true && (stat.mode & permissionBits) === recorded.mode;
  }
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return false;
  const sameKind = recorded.kind === 'file' ? stat.isFile() : stat.isSymbolicLink();
  if (!sameKind || Number(stat.size) !== recorded.size) return false;
  if (String(stat.mtimeNs) !== recorded.mtimeNs) return false;
  return recorded.kind === 'symlink' || (Number(stat.mode) & permissionBits) === recorded.mode;
}

function overlayStage(outcomes: readonly OverlayOutcome[], startedMs: number, durationMs: number): StageReport {
  const refused = outcomes.filter(({ result }) => result === 'refused');
  if (refused.length === 0) return { name: 'overlay', state: 'ok', startedMs, durationMs };
  const [first] = refused;
  const detail = `${refused.length} of ${outcomes.length} could not be written. ${first?.path}: ${first?.detail ?? ''}`;
  return { name: 'overlay', state: 'failed', startedMs, durationMs, detail: detail.slice(0, 4096) };
}
