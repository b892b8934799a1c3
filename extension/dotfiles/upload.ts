import * as vscode from 'vscode';
import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import { failureText, isCancellation } from '../failure.ts';
import { setting } from '../settings.ts';
import { type Placed, planUpload, type Refused, type UploadPlan } from './dropPlan.ts';
import { formatSize } from './formatSize.ts';
import { inParallel } from './inParallel.ts';
import { TransferProgress } from './transferProgress.ts';
import type { UploadResult } from './uploadReport.ts';
import type { Collected, Source } from './uploadSources.ts';

/** How many files are on their way at once; the service works on eight of one user. */
const atOnce = 6;

/** Not the fault of the file: every other one would fail in the same way. */
const endsAll = new Set<ErrorCode>([
  'service-unreachable',
  'service-incompatible',
  'shutting-down',
  'unauthenticated',
  'token-expired',
  'user-disabled',
  'insufficient-storage',
  'dotfile-limit',
]);

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
    existing: (path) => connection.dotfiles.entry(path)?.kind,
  });
  const replace = await agreedReplacements(plan, connection.host);
  if (replace === undefined) return undefined;
  const refused = [...plan.refused, ...collected.refused];
  return await send(connection, [...plan.create, ...replace], refused);
}

/** What {@link upload} has not sent, because it was interrupted. */
export async function uploadRest(connection: Connection, result: UploadResult): Promise<UploadResult> {
  connection.requireReachable();
  return await send(connection, result.unsent, result.refused);
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
  let interruption: SpoonError | undefined;
  if (work.length > 0) {
    await vscode.window.withProgress(options, async (progress, token) => {
      const sizes = work.map(({ candidate }) => candidate.size);
      const shown = new TransferProgress(progress, sizes);
      await inParallel(work, atOnce, async (placed) => {
        // What is on its way is let through, so that the report is right about each file.
        if (token.isCancellationRequested || interruption !== undefined) return;
        try {
          await sendOne(connection, placed);
          stored.push(placed.path);
        } catch (error) {
          if (error instanceof SpoonError && endsAll.has(error.code)) {
            interruption = error;
            return;
          }
          refused.push({ name: placed.candidate.name, why: reasonOf(error) });
        }
        unsent.delete(placed);
        shown.done(placed.candidate.size, placed.path);
      });
    });
  }
  return { stored, refused, unsent: [...unsent], total: work.length, interruption };
}

async function sendOne({ dotfiles }: Connection, { candidate, path }: Placed<Source>): Promise<void> {
  const bytes = await candidate.read();
  const base = dotfiles.entry(path)?.dotfile ?? ('create' as const);
  const mode = candidate.mode === undefined ? {} : { mode: modeIn(path, candidate.mode) };
  await dotfiles.save(path, bytes, { base, kind: candidate.kind, origin: 'import', ...mode });
}

/** As it was, but no key is readable by others because of the disk that it lay on. */
function modeIn(path: HomePath, mode: number): number {
  return /^\.(ssh|gnupg)\//.test(path) ? mode & 0o700 : mode;
}

function reasonOf(error: unknown): string {
  if (error instanceof SpoonError || isCancellation(error)) return failureText(error);
  // Reading it failed: gone, locked, not allowed.
  return vscode.l10n.t('It could not be read: {0}', failureText(error));
}

/** As many lines as a dialog has room for. */
export function shortList(lines: readonly string[]): string {
  const shown = lines.slice(0, 15);
  if (lines.length > shown.length) shown.push(vscode.l10n.t('… and {0} more', lines.length - shown.length));
  return shown.join('\n');
}
