import * as vscode from 'vscode';
import type { FileToSave } from '../../client/saveMany.ts';
import type { Refusal } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { importedFileMode } from '../../protocol/fileMode.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import { asPlainText, failureText } from '../failure.ts';
import { setting } from '../settings.ts';
import { type Placed, planUpload, type Refused, type UploadPlan } from './dropPlan.ts';
import { formatSize } from './formatSize.ts';
import { inParallel } from './inParallel.ts';
import { equalBytes } from './saveConflict.ts';
import { type Suspect, suspectIn } from './secretNudge.ts';
import { TransferProgress } from './transferProgress.ts';
import type { UploadResult } from './uploadReport.ts';
import type { Collected, Source } from './uploadSources.ts';

/** Small enough that the progress moves and a cancel is quick, large enough that round trips do not count. */
const groupFiles = 100;
const groupBytes = 2 * 1024 * 1024;
const groupsAtOnce = 3;

/**
 * Puts files into a folder of dotfiles: what would be replaced is asked once for all, it can be cancelled, and what was
 * refused is listed with its reason while the rest goes in. Undefined when the person left before anything was done.
 */
export async function upload(
  connection: Connection,
  folder: string,
  collected: Collected,
): Promise<UploadResult | undefined> {
  connection.requireReachable();
  await connection.dotfiles.whenListed();
  const plan = planUpload(collected.sources, {
    folder,
    existing: (path) => connection.dotfiles.entry(path),
  });
  const replace = await agreedReplacements(plan, connection.host);
  if (replace === undefined) return undefined;
  const refused = [...plan.refused, ...collected.refused];
  return await send(connection, [...plan.create, ...replace], refused);
}

/**
 * What {@link upload} has not sent, because it was interrupted: planned again, since the home may have changed meanwhile, and
 * asked about like any upload. What has arrived without an answer is not sent again.
 */
export async function uploadRest(
  connection: Connection,
  folder: string,
  { unsent, refused }: UploadResult,
): Promise<UploadResult | undefined> {
  connection.requireReachable();
  await connection.dotfiles.refresh();
  const arrived = new Set<Placed<Source>>();
  await inParallel(unsent, groupsAtOnce, async (placed) => {
    if (await hasArrived(connection, placed)) arrived.add(placed);
  });
  const sources = unsent.filter((placed) => !arrived.has(placed)).map(({ candidate }) => candidate);
  const rest = await upload(connection, folder, { sources, refused, excluded: 0 });
  if (rest === undefined) return undefined;
  const stored = [...[...arrived].map(({ path }) => path), ...rest.stored];
  return { ...rest, stored, total: rest.total + arrived.size };
}

async function hasArrived({ dotfiles }: Connection, { candidate, path }: Placed<Source>): Promise<boolean> {
  const there = dotfiles.entry(path)?.dotfile;
  if (there?.kind !== candidate.kind || there.size !== candidate.size) return false;
  const { bytes } = await dotfiles.read(path);
  // What cannot be read here is sent again, and refused with that reason.
  const own = await candidate.read().catch(() => undefined);
  return own !== undefined && equalBytes(bytes, own);
}

/** Undefined when the person leaves; otherwise what to replace, which may be nothing. */
async function agreedReplacements(
  plan: UploadPlan<Source>,
  host: string,
): Promise<readonly Placed<Source>[] | undefined> {
  const confirm = setting('dotfiles.confirmDrop');
  const { create, replace } = plan;
  const count = create.length + replace.length;
  if (replace.length > 0 && confirm !== 'never') {
    const overwrite = vscode.l10n.t('Replace');
    const skip = vscode.l10n.t('Skip Existing');
    const answer = await vscode.window.showWarningMessage(
      replace.length === 1
        ? vscode.l10n.t('{0} is there already. Replace it?', replace[0]?.path ?? '')
        : vscode.l10n.t('{0} files are there already. Replace them?', replace.length),
      {
        modal: true,
        detail: vscode.l10n.t('{0}\nOlder versions stay in the history.', shortList(replace.map(({ path }) => path))),
      },
      ...(create.length > 0 ? [overwrite, skip] : [overwrite]),
    );
    if (answer === overwrite) return replace;
    return answer === skip ? [] : undefined;
  }
  if (count > 0 && confirm === 'always') {
    const goOn = vscode.l10n.t('Upload');
    const question = vscode.l10n.t('Upload {0} files ({1}) to {2}?', count, formatSize(plan.bytes), host);
    if ((await vscode.window.showInformationMessage(question, { modal: true }, goOn)) !== goOn) return undefined;
  }
  return replace;
}

async function send(
  connection: Connection,
  work: readonly Placed<Source>[],
  refusedBefore: readonly Refused[],
): Promise<UploadResult> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: vscode.l10n.t('Uploading dotfiles'),
    cancellable: true,
  };
  const stored: HomePath[] = [];
  const refused = [...refusedBefore];
  const unsent = new Set(work);
  const suspects: Suspect[] = [];
  let interruption: SpoonError | undefined;
  if (work.length === 0) return { stored, refused, unsent: [], suspects, total: 0, interruption };
  await vscode.window.withProgress(options, async (progress, token) => {
    const sizes = work.map(({ candidate }) => candidate.size);
    const shown = new TransferProgress(progress, sizes);
    const settle = (placed: Placed<Source>, outcome: { why: string } | { suspect: Suspect | undefined }): void => {
      unsent.delete(placed);
      if ('why' in outcome) refused.push({ name: placed.candidate.name, why: outcome.why });
      else stored.push(placed.path);
      if ('suspect' in outcome && outcome.suspect !== undefined) suspects.push(outcome.suspect);
      shown.done(placed.candidate.size, placed.path);
    };
    try {
      await inParallel(inGroups(work), groupsAtOnce, async (group) => {
        // What is on its way is let through, so that the report is right about each file.
        if (!token.isCancellationRequested) await sendGroup(connection, group, settle);
      });
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      interruption = error;
    }
  });
  return { stored, refused, unsent: [...unsent], suspects, total: work.length, interruption };
}

/** @throws SpoonError when the service cannot be reached or takes nothing more */
async function sendGroup(
  { dotfiles }: Connection,
  group: readonly Placed<Source>[],
  settle: (placed: Placed<Source>, outcome: { why: string } | { suspect: Suspect | undefined }) => void,
): Promise<void> {
  const byPath = new Map(group.map((placed) => [placed.path as string, placed]));
  const suspects = new Map<string, Suspect | undefined>();
  const files: FileToSave[] = [];
  for (const placed of group) {
    const { candidate, path, base } = placed;
    try {
      const bytes = await candidate.read();
      if (candidate.kind === 'file') suspects.set(path, suspectIn(path, bytes));
      const mode = candidate.mode === undefined ? undefined : importedFileMode(path, bytes, candidate.mode);
      files.push({ path, base, kind: candidate.kind, mode, size: bytes.length, bytes: async () => bytes });
    } catch (error) {
      settle(placed, { why: vscode.l10n.t('It could not be read: {0}', failureText(error)) });
    }
  }
  await dotfiles.saveMany(files, (outcomes) => {
    for (const outcome of outcomes) {
      const placed = byPath.get(outcome.path);
      if (placed === undefined) continue;
      const isRefused = 'refused' in outcome;
      settle(placed, isRefused ? { why: reasonOf(outcome.refused) } : { suspect: suspects.get(placed.path) });
    }
  });
}

function inGroups(work: readonly Placed<Source>[]): Placed<Source>[][] {
  const groups: Placed<Source>[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const placed of work) {
    const last = groups.at(-1);
    if (last === undefined || last.length >= groupFiles || bytes + placed.candidate.size > groupBytes) {
      groups.push([placed]);
      bytes = placed.candidate.size;
    } else {
      last.push(placed);
      bytes += placed.candidate.size;
    }
  }
  return groups;
}

function reasonOf({ title, detail }: Refusal): string {
  return asPlainText([title, detail ?? ''].filter(Boolean).join(' '));
}

/** As many lines as a dialog has room for. */
export function shortList(lines: readonly string[]): string {
  const shown = lines.slice(0, 15);
  if (lines.length > shown.length) shown.push(vscode.l10n.t('… and {0} more', lines.length - shown.length));
  return shown.join('\n');
}
