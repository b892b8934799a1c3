import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HomeDrift } from '../../protocol/boxd.ts';
import type {
  DeletedDotfileList,
  Dotfile,
  DotfileDrift,
  DotfileHistory,
  DotfileList,
  DotfileVersion,
  OnExisting,
  SaveWarning,
  VersionOrigin,
} from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { DotfileRow } from '../store/tables.ts';
import { describeDrifts } from './describeDrift.ts';
import * as rows from './dotfileRows.ts';
import { forgetVersions } from './forgetVersions.ts';
import { type Drift, keepDrift } from './keepDrift.ts';
import { listBytesOf } from './listBytes.ts';
import { saveAll, saveEach } from './manySaves.ts';
import { type Overlay, overlayOf } from './overlay.ts';
import { type DotfileParts, type PlannedSave, planSave, type SaveInput } from './planSave.ts';
import type { ArchivedFile } from './readArchive.ts';
import { readContents } from './readContents.ts';
import { checkedAs, type ReadDotfile, readVersion } from './readDotfile.ts';
import { type DotfileName, historyOf, listDeleted, planRestore, rowOf } from './restore.ts';
import { openHead, pathMac, sealHead } from './sealedDotfile.ts';
import { silence } from './silence.ts';
import { type DotfileTree, dotfileOf, type TreeEntry } from './tree.ts';
import * as rules from './treeRules.ts';
import { type Damage, entriesPerTurn, UserTrees } from './userTrees.ts';

export interface Saved {
  readonly dotfile: Dotfile;
  readonly warnings: SaveWarning[];
  /** False: it was like that already, and no version was made. */
  readonly changed: boolean;
}

interface Parts extends DotfileParts {
  /** For the log: an object that is damaged, where the others go on. */
  readonly onDamage: (damage: Damage) => void;
}

/**
 * The dotfiles of every user: sealed rows, conditional writes, versions. Knows nothing of HTTP or boxes. It must never write
 * a path or a content unsealed, nor answer one user with another's.
 */
export class Dotfiles {
  readonly #parts: Parts;
  readonly #trees: UserTrees;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#trees = new UserTrees(parts);
  }

  list(userId: string): Promise<DotfileList> {
    return this.#trees.use(userId, async (tree) => ({
      dotfiles: tree.sorted().map(dotfileOf),
      ...(tree.damaged === 0 ? {} : { damaged: tree.damaged }),
    }));
  }

  /** {@link list} as JSON, at a small part of the price. */
  listBytes(userId: string): Promise<Buffer> {
    return this.#trees.use(userId, async (tree) => listBytesOf(tree));
  }

  /** @throws SpoonError `not-found`, `integrity-failure`, `key-unavailable` */
  async read(userId: string, path: HomePath, version?: number): Promise<ReadDotfile> {
    return this.readNamed(userId, { path }, version);
  }

  /** Also of one that has been removed, by its id. @throws SpoonError as {@link read} */
  async readNamed(userId: string, name: DotfileName, version?: number): Promise<ReadDotfile> {
    const row = await rowOf(this.#parts, userId, name);
    // Of a removed one nobody else vouches for the head.
    if ('id' in name) await checkedAs(row.id, () => openHead(this.#parts.keyring, row));
    return readVersion(this.#parts, row, version);
  }

  /** Newest first. @throws SpoonError `not-found`, `integrity-failure`, `key-unavailable` */
  history(userId: string, name: DotfileName): Promise<DotfileHistory> {
    return historyOf(this.#parts, userId, name);
  }

  /** @returns what is left @throws SpoonError as {@link forgetVersions} */
  async forgetVersions(userId: string, path: HomePath, versions: readonly number[]): Promise<DotfileHistory> {
    await this.#trees.use(userId, (tree) => forgetVersions(this.#parts, userId, tree, { path, versions }));
    return this.history(userId, { path });
  }

  async deleted(userId: string): Promise<DeletedDotfileList> {
    return { dotfiles: await listDeleted(this.#parts, userId) };
  }

  /**
   * Durable when this resolves.
   * @throws SpoonError `path-kind-conflict`, `mode-invalid`, `link-target-invalid`, `body-too-large`, `version-required`,
   *   `version-stale`, `etag-invalid`, `file-exists`, `dotfile-limit`, `store-busy`, `insufficient-storage`
   */
  save(userId: string, input: SaveInput): Promise<Saved> {
    return this.#savePlanned(userId, (tree) => planSave(this.#parts, userId, tree, input));
  }

  /**
   * Makes an older version current, or brings a removed dotfile back; always as a new version.
   * @throws SpoonError `not-found`, `request-invalid`, and as {@link save}
   */
  restore(
    userId: string,
    wanted: { name: DotfileName; version?: number | undefined; etag?: string | undefined },
  ): Promise<Saved> {
    return this.#savePlanned(userId, (tree) => planRestore(this.#parts, userId, tree, wanted));
  }

  /** Of a folder too, which gets an entry of its own then. @throws SpoonError `not-found`, `mode-invalid`, and as {@link save} */
  setMode(
    userId: string,
    { path, mode, etag, origin }: { path: HomePath; mode: number; etag?: string | undefined; origin: VersionOrigin },
  ): Promise<Saved> {
    return this.#savePlanned(userId, async (tree) => {
      const there = tree.get(path);
      if (there === undefined && !tree.hasBelow(path)) throw new SpoonError('not-found');
      if (there?.kind === 'symlink') throw new SpoonError('mode-invalid', 'A symbolic link has no mode of its own.');
      const bytes = there?.kind === 'file' ? (await this.read(userId, path)).bytes : new Uint8Array();
      const input = { path, kind: there?.kind ?? 'directory', bytes, mode, origin };
      return planSave(this.#parts, userId, tree, { ...input, ifMatch: etag ?? there?.etag });
    });
  }

  /**
   * All in one transaction, where each is checked by itself: one that a rule refuses leaves the others alone.
   * @returns in the order of the inputs
   * @throws SpoonError for a failure of the store, and then nothing has been saved
   */
  async saveMany(userId: string, inputs: readonly SaveInput[]): Promise<(Saved | SpoonError)[]> {
    const plans = await this.#saveTogether(userId, (tree) => saveEach(this.#parts, userId, tree, inputs));
    return plans.map((plan) => (plan instanceof SpoonError ? plan : savedOf(plan)));
  }

  /** All of an archive or nothing of it. @throws SpoonError `file-exists` with `count`, and as {@link save}, with `entry` */
  async saveAll(
    userId: string,
    wanted: { files: readonly ArchivedFile[]; existing: OnExisting },
  ): Promise<{ saved: Saved[]; kept: string[] }> {
    const { plans, kept } = await this.#saveTogether(userId, (tree) => saveAll(this.#parts, userId, tree, wanted));
    return { saved: plans.map(savedOf), kept };
  }

  /** Whether its owner wants to hear about what looks like a secret in it. Makes no version. @throws SpoonError `not-found` */
  silence(userId: string, path: HomePath, silenced: boolean): Promise<Dotfile> {
    return this.#trees.use(userId, (tree) => silence(this.#parts, userId, tree, { path, silenced }));
  }

  /**
   * @returns what is gone; its versions are kept for a restore
   * @throws SpoonError `not-found`, `path-kind-conflict`, `version-stale`, `etag-invalid`, `store-busy`
   */
  remove(
    userId: string,
    path: HomePath,
    { recursive = false, ifMatch }: { recursive?: boolean | undefined; ifMatch?: string | undefined } = {},
  ): Promise<{ removed: { path: HomePath; id?: string }[] }> {
    const { store, keyring, now } = this.#parts;
    return this.#trees.use(userId, async (tree) => {
      if (tree.get(path) === undefined && !tree.hasBelow(path)) {
        // A row that cannot be opened is not in the tree; by its path it can still be removed.
        const damaged = await rows.liveRow(store.db, userId, await pathMac(keyring, userId, path));
        if (damaged === undefined) throw new SpoonError('not-found');
        await store.transaction((trx) => rows.markDeleted(trx, { userId, ids: [damaged.id], nowMs: now() }));
        this.#trees.forget(userId);
        return { removed: [{ path }] };
      }
      rules.checkRemovalPrecondition(tree.get(path)?.etag, ifMatch);
      const gone = rules.planRemoval(tree, path, recursive);
      const nowMs = now();
      await store.transaction(async (trx) => {
        await rows.markDeleted(trx, { userId, ids: gone.map(({ id }) => id), nowMs });
        await rows.purgeDeleted(trx, userId, nowMs);
      });
      for (const entry of gone) tree.remove(entry.path);
      return { removed: gone.map(({ id, path }) => ({ id, path })) };
    });
  }

  /**
   * Renames: contents, versions and etags stay, only names are sealed anew (security.md decision 7).
   * @throws SpoonError as {@link rules.planMove}, and `store-busy`
   */
  move(
    userId: string,
    wanted: { from: HomePath; to: HomePath; overwrite: boolean },
  ): Promise<{ moved: { from: HomePath; dotfile: Dotfile }[]; replaced: HomePath[] }> {
    const { store, keyring, now } = this.#parts;
    return this.#trees.use(userId, async (tree) => {
      const { moves, replaced } = rules.planMove(tree, wanted);
      const sealed: { before: TreeEntry; after: TreeEntry; columns: Partial<DotfileRow> }[] = [];
      for (const [index, { entry, to }] of moves.entries()) {
        if (index % entriesPerTurn === entriesPerTurn - 1) await nextTurn();
        const after = { ...entry, path: to };
        const columns = {
          path_mac: await pathMac(keyring, userId, to),
          path_enc: await sealHead(keyring, userId, after),
        };
        sealed.push({ before: entry, after, columns });
      }
      await store.transaction(async (trx) => {
        await rows.markDeleted(trx, { userId, ids: replaced.map(({ id }) => id), nowMs: now() });
        for (const [index, { before, columns }] of sealed.entries()) {
          if (index % entriesPerTurn === entriesPerTurn - 1) await nextTurn();
          await rows.updateLive(trx, userId, before, columns);
        }
      });
      for (const entry of [...replaced, ...moves.map((move) => move.entry)]) tree.remove(entry.path);
      for (const { after } of sealed) tree.put(after);
      return {
        moved: sealed.map(({ before, after }) => ({ from: before.path, dotfile: dotfileOf(after) })),
        replaced: replaced.map((entry) => entry.path),
      };
    });
  }

  /** A hand edit as a version that is not current. @throws SpoonError as {@link keepDrift} */
  keepDrift(userId: string, drift: Drift): Promise<DotfileVersion> {
    return this.#trees.use(userId, (tree) => keepDrift(this.#parts, userId, tree, drift));
  }

  /** @param inHome by path what a box says is in the home; only what is in the tree counts */
  drifts(userId: string, inHome: ReadonlyMap<string, HomeDrift>): Promise<DotfileDrift[]> {
    return this.#trees.use(userId, (tree) => describeDrifts(this.#parts.store, userId, tree, inHome));
  }

  /** Somebody has looked at the kept hand edit. @returns what its version was @throws SpoonError `not-found` */
  settleDrift(userId: string, path: HomePath): Promise<number | undefined> {
    return this.#trees.use(userId, async (tree) => {
      const before = tree.get(path);
      if (before === undefined) throw new SpoonError('not-found');
      if (before.drift === undefined) return undefined;
      const columns = { drift_version: null, drift_base: null };
      await this.#parts.store.transaction((trx) => rows.updateLive(trx, userId, before, columns));
      tree.put({ ...before, drift: undefined });
      return before.drift.version;
    });
  }

  /** What the user's home should hold. Quick when nothing changed since the last time. */
  overlay(userId: string): Promise<Overlay> {
    return this.#trees.use(userId, (tree) => overlayOf(this.#parts.keyring, userId, tree));
  }

  /** The bytes of some paths, in their order. Left out: what is gone meanwhile, and what is damaged (`onDamage` has it). */
  async *contents(
    userId: string,
    paths: Iterable<HomePath>,
  ): AsyncGenerator<{ path: HomePath; bytes: Uint8Array }, void, undefined> {
    const entries = await this.#trees.use(userId, async (tree) => [...paths].flatMap((path) => tree.get(path) ?? []));
    yield* readContents(this.#parts, userId, entries);
  }

  /** Forgets the names it holds in the clear. */
  close(): void {
    this.#trees.close();
  }

  forget(userId: string): void {
    this.#trees.forget(userId);
  }

  /** Changes the tree before its transaction is committed, so that a failure drops it. */
  #saveTogether<T>(userId: string, save: (tree: DotfileTree) => Promise<T>): Promise<T> {
    return this.#trees.use(userId, async (tree) => {
      try {
        return await save(tree);
      } catch (error) {
        this.#trees.forget(userId);
        throw error;
      }
    });
  }

  #savePlanned(userId: string, plan: (tree: DotfileTree) => Promise<PlannedSave>): Promise<Saved> {
    return this.#trees.use(userId, async (tree) => {
      const planned = await plan(tree);
      if (planned.write !== undefined) {
        await this.#parts.store.transaction(planned.write);
        tree.put(planned.entry);
      }
      return savedOf(planned);
    });
  }
}

function savedOf({ entry, warnings, write }: PlannedSave): Saved {
  return { dotfile: dotfileOf(entry), warnings, changed: write !== undefined };
}
