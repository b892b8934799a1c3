import type { Transaction } from 'kysely';
import type { DotfileKind, SaveWarning, VersionOrigin } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { checkFileMode, expectedDirectoryMode, expectedFileMode } from '../../protocol/fileMode.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { maxDotfilesPerUser } from '../../protocol/limits.ts';
import type { Limits } from '../../protocol/quotas.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import { insertDotfile, pruneVersions, type SealedSave, undelete, updateDotfile } from './dotfileRows.ts';
import { contentMac, etagOf, pathMac, sealContent, sealHead } from './sealedDotfile.ts';
import type { DotfileTree, TreeEntry } from './tree.ts';
import { checkBytes, checkPlace, checkPrecondition, warningsFor } from './treeRules.ts';

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

export interface DotfileParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly now: () => number;
  /** Where users may have less than everybody. */
  readonly limitsOf?: (userId: string) => Pick<Limits, 'dotfiles' | 'dotfileBytes'>;
}

/** A save that has passed every rule. */
export interface PlannedSave {
  readonly warnings: SaveWarning[];
  /** The dotfile as it will be. */
  readonly entry: TreeEntry;
  /** Absent: it is like that already, and no version is made. */
  readonly write?: (trx: Transaction<Tables>) => Promise<void>;
}

const symlinkMode = 0o777;
const mebi = 2 ** 20;
const limitsOfAll = { dotfiles: maxDotfilesPerUser, dotfileBytes: null };

/**
 * Checks and seals one save; nothing is written yet.
 * @param removed the dotfile that comes back, where this is a restore of one
 * @throws SpoonError as `Dotfiles.save`
 */
export async function planSave(
  { keyring, now, limitsOf = () => limitsOfAll }: DotfileParts,
  userId: string,
  tree: DotfileTree,
  input: SaveInput,
  removed?: TreeEntry,
): Promise<PlannedSave> {
  const { path, kind, bytes, origin } = input;
  checkBytes(kind, bytes);
  if (input.mode !== undefined) checkFileMode(input.mode);
  const there = tree.get(path);
  checkPlace(tree, path, kind);
  checkPrecondition(there?.etag, input);
  const content = await contentMac(keyring, userId, bytes);
  const mode = modeOf(input, there);
  const warnings = warningsFor(tree, path);
  if (there?.kind === kind && there.mode === mode && there.content === content) return { entry: there, warnings };
  requireRoom(tree, limitsOf(userId), { before: there?.size, after: bytes.length });
  const nowMs = now();
  const before = there ?? removed;
  const version = (before?.lastVersion ?? 0) + 1;
  const named = { id: before?.id ?? crypto.randomUUID(), version, kind, mode, content };
  const entry: TreeEntry = {
    ...named,
    path,
    size: bytes.length,
    lastVersion: version,
    etag: etagOf(named),
    createdMs: before?.createdMs ?? nowMs,
    // Strictly increasing: VS Code takes an equal time for an unchanged file.
    modifiedMs: Math.max(nowMs, (before?.modifiedMs ?? 0) + 1),
    // Whoever saves has decided about it.
    drift: undefined,
    secretsSilencedMs: before?.secretsSilencedMs,
  };
  const save: SealedSave = {
    userId,
    entry,
    origin,
    pathMac: await pathMac(keyring, userId, path),
    head: await sealHead(keyring, userId, entry),
    blob: await sealContent(keyring, userId, entry, bytes),
  };
  const write = async (trx: Transaction<Tables>) => {
    if (there !== undefined) await updateDotfile(trx, there, save);
    else if (removed !== undefined) await undelete(trx, removed, save);
    else return insertDotfile(trx, save);
    await pruneVersions(trx, entry, nowMs);
  };
  return { entry, warnings, write };
}

function modeOf({ kind, path, bytes, mode }: SaveInput, before: TreeEntry | undefined): number {
  if (kind === 'symlink') return symlinkMode;
  if (mode !== undefined) return mode;
  if (before?.kind === kind) return before.mode;
  return kind === 'directory' ? expectedDirectoryMode(path) : expectedFileMode(path, bytes);
}

/** What makes nothing larger is saved also by who has more than is allowed by now. */
function requireRoom(
  tree: DotfileTree,
  { dotfiles, dotfileBytes }: Pick<Limits, 'dotfiles' | 'dotfileBytes'>,
  { before, after }: { before: number | undefined; after: number },
): void {
  if (before === undefined && tree.size + tree.damaged >= dotfiles) {
    throw new SpoonError('dotfile-limit', `At most ${dotfiles}. Remove one, or ask your administrator for more.`);
  }
  const bytes = tree.bytes - (before ?? 0) + after;
  if (dotfileBytes !== null && after > (before ?? 0) && bytes > dotfileBytes) {
    throw new SpoonError(
      'dotfiles-too-large',
      `At most ${Math.floor(dotfileBytes / mebi)} MiB. Remove a large one, or ask your administrator for more.`,
    );
  }
}
