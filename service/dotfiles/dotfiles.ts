import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  Dotfile,
  DotfileHistory,
  DotfileKind,
  DotfileList,
  DotfileVersion,
  SaveWarning,
  VersionOrigin,
} from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { checkFileMode, expectedDirectoryMode, expectedFileMode } from '../../protocol/fileMode.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { maxDotfilesPerUser } from '../../protocol/limits.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { DotfileRow } from '../store/tables.ts';
import * as rows from './dotfileRows.ts';
import { keepDrift } from './keepDrift.ts';
import { type Overlay, overlayOf } from './overlay.ts';
import { findRow, type ReadDotfile, readDotfile } from './readDotfile.ts';
import { contentMac, etagOf, pathMac, sealContent, sealHead } from './sealedDotfile.ts';
import type { TreeEntry } from './tree.ts';
import * as rules from './treeRules.ts';
import { type Damage, entriesPerTurn, UserTrees } from './userTrees.ts';

export interface SaveInput {
  readonly path: HomePath;
  readonly kind: DotfileKind;
  /** Of a file its content, of a symbolic link its target, of a folder nothing. */
  readonly bytes: Uint8Array;
  /** Default: as it is, else what people expect. A symbolic link has none of its own. */
  readonly mode?: number | undefined;
  /** The etag that the change is based on; needed where something exists. */
  readonly ifMatch?: string | undefined;
  /** `*`: only where nothing exists. */
  readonly ifNoneMatch?: string | undefined;
  readonly origin: VersionOrigin;
}

export interface Saved {
  readonly dotfile: Dotfile;
  readonly warnings: SaveWarning[];
  /** False: it was like that already, and no version was made. */
  readonly changed: boolean;
}

interface Parts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly now: () => number;
  /** For the log: an object that is damaged, where the others go on. */
  readonly onDamage: (damage: Damage) => void;
}

const symlinkMode = 0o777;

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

  /** @throws SpoonError `not-found`, `integrity-failure`, `key-unavailable` */
  read(userId: string, path: HomePath, version?: number): Promise<ReadDotfile> {
    return readDotfile(this.#parts, userId, path, version);
  }

  /** Newest first. @throws SpoonError `not-found`, `integrity-failure`, `key-unavailable` */
  async history(userId: string, path: HomePath): Promise<DotfileHistory> {
    const { id, version: current } = await findRow(this.#parts, userId, path);
    const facts = await rows.versionFacts(this.#parts.store.db, { userId, id, current });
    return { path, versions: facts.map(({ version }) => version) };
  }

  /**
   * Durable when this resolves.
   * @throws SpoonError `path-kind-conflict`, `mode-invalid`, `link-target-invalid`, `body-too-large`, `version-required`,
   *   `version-stale`, `etag-invalid`, `file-exists`, `dotfile-limit`, `store-busy`, `insufficient-storage`
   */
  async save(userId: string, input: SaveInput): Promise<Saved> {
    rules.checkBytes(input.kind, input.bytes);
    if (input.mode !== undefined) checkFileMode(input.mode);
    return this.#trees.use(userId, async (tree) => {
      const before = tree.get(input.path);
      rules.checkPlace(tree, input.path, input.kind);
      rules.checkPrecondition(before?.etag, input);
      const { keyring, now } = this.#parts;
      const content = await contentMac(keyring, userId, input.bytes);
      const mode = modeOf(input, before);
      const warnings = rules.warningsFor(tree, input.path);
      if (before?.kind === input.kind && before.mode === mode && before.content === content) {
        return { dotfile: dotfileOf(before), warnings, changed: false };
      }
      if (before === undefined && tree.size + tree.damaged >= maxDotfilesPerUser) {
        throw new SpoonError('dotfile-limit', `At most ${maxDotfilesPerUser}.`);
      }
      const nowMs = now();
      const version = (before?.lastVersion ?? 0) + 1;
      const named = { id: before?.id ?? crypto.randomUUID(), version, kind: input.kind, mode, content };
      const entry: TreeEntry = {
        ...named,
        path: input.path,
        size: input.bytes.length,
        lastVersion: version,
        etag: etagOf(named),
        createdMs: before?.createdMs ?? nowMs,
        // Strictly increasing: VS Code takes an equal time for an unchanged file.
        modifiedMs: Math.max(nowMs, (before?.modifiedMs ?? 0) + 1),
      };
      await this.#store(userId, { before, entry, bytes: input.bytes, origin: input.origin });
      tree.put(entry);
      return { dotfile: dotfileOf(entry), warnings, changed: true };
    });
  }

  /**
   * @returns the paths that are gone; their versions are kept for a restore
   * @throws SpoonError `not-found`, `path-kind-conflict`, `version-stale`, `etag-invalid`, `store-busy`
   */
  remove(
    userId: string,
    path: HomePath,
    { recursive = false, ifMatch }: { recursive?: boolean | undefined; ifMatch?: string | undefined } = {},
  ): Promise<{ removed: HomePath[] }> {
    const { store, keyring, now } = this.#parts;
    return this.#trees.use(userId, async (tree) => {
      if (tree.get(path) === undefined && !tree.hasBelow(path)) {
        // A row that cannot be opened is not in the tree; by its path it can still be removed.
        const damaged = await rows.liveRow(store.db, userId, await pathMac(keyring, userId, path));
        if (damaged === undefined) throw new SpoonError('not-found');
        await store.transaction((trx) => rows.markDeleted(trx, { userId, ids: [damaged.id], nowMs: now() }));
        this.#trees.forget(userId);
        return { removed: [path] };
      }
      rules.checkRemovalPrecondition(tree.get(path)?.etag, ifMatch);
      const gone = rules.planRemoval(tree, path, recursive);
      const nowMs = now();
      await store.transaction(async (trx) => {
        await rows.markDeleted(trx, { userId, ids: gone.map(({ id }) => id), nowMs });
        await rows.purgeDeleted(trx, userId, nowMs);
      });
      for (const entry of gone) tree.remove(entry.path);
      return { removed: gone.map((entry) => entry.path) };
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
  keepDrift(userId: string, path: HomePath, bytes: Uint8Array, mode: number): Promise<DotfileVersion> {
    return this.#trees.use(userId, (tree) => keepDrift(this.#parts, userId, tree, { path, bytes, mode }));
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
    for (const path of paths) {
      try {
        yield { path, bytes: (await this.read(userId, path)).bytes };
      } catch (error) {
        if (!(error instanceof SpoonError)) throw error;
        if (error.code === 'integrity-failure') {
          this.#parts.onDamage({ userId, dotfileId: String(error.extra.dotfileId), error });
        } else if (error.code !== 'not-found') throw error;
      }
    }
  }

  /** Forgets the names it holds in the clear. */
  close(): void {
    this.#trees.close();
  }

  async #store(
    userId: string,
    {
      before,
      entry,
      bytes,
      origin,
    }: Pick<rows.SealedSave, 'entry' | 'origin'> & {
      before: TreeEntry | undefined;
      bytes: Uint8Array;
    },
  ): Promise<void> {
    const { keyring, store, now } = this.#parts;
    const save = {
      userId,
      entry,
      origin,
      pathMac: await pathMac(keyring, userId, entry.path),
      head: await sealHead(keyring, userId, entry),
      blob: await sealContent(keyring, userId, entry, bytes),
    };
    await store.transaction(async (trx) => {
      if (before === undefined) return rows.insertDotfile(trx, save);
      await rows.updateDotfile(trx, before, save);
      await rows.pruneVersions(trx, entry, now());
    });
  }
}

function modeOf({ kind, path, bytes, mode }: SaveInput, before: TreeEntry | undefined): number {
  if (kind === 'symlink') return symlinkMode;
  if (mode !== undefined) return mode;
  if (before?.kind === kind) return before.mode;
  return kind === 'directory' ? expectedDirectoryMode(path) : expectedFileMode(path, bytes);
}

function dotfileOf({ id, path, kind, mode, size, version, etag, modifiedMs, createdMs }: TreeEntry): Dotfile {
  return { id, path, kind, mode, size, version, etag, modifiedMs, createdMs };
}
