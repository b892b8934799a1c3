import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import type { Connection } from '../connection/connection.ts';
import { failureText, isCancellation } from '../failure.ts';
import type { Log } from '../outputLog.ts';
import { setting } from '../settings.ts';
import { formatSize } from './dotfilesTree.ts';
import { type Placed, planUpload, type Refused, type UploadPlan } from './dropPlan.ts';
import type { Collected, Source } from './uploadSources.ts';

/** How many files are on their way at once: hides the round trip, does not crowd out others. */
const atOnce = 4;

/**
 * Puts files into a folder of dotfiles: what would be replaced is asked once for all, it can be cancelled, and what was
 * refused is listed with its reason while the rest goes in. @returns the paths that were stored
 */
export async function upload(
  connection: Connection,
  folder: string,
  collected: Collected,
  log: Log,
): Promise<readonly string[]> {
  connection.requireReachable();
  await connection.dotfiles.whenListed();
  const plan = planUpload(collected.sources, {
    folder,
    exclude: setting('dotfiles.exclude'),
    existing: (path) => connection.dotfiles.entry(path)?.kind,
  });
  const replace = await agreedReplacements(plan, connection.host);
  if (replace === undefined) return [];
  const unreadable = collected.unreadable.map((name) => ({ name, why: unreadableText() }));
  const work = [...plan.create, ...replace];
  const done = await sendAll(connection, work);
  const refused = [...plan.refused, ...unreadable, ...done.refused];
  for (const { name, why } of refused) log.warn(`upload of ${name}: ${why}`);
  report({ stored: done.stored.length, total: work.length, refused, cancelled: done.cancelled });
  return done.stored;
}

function unreadableText(): string {
  return vscode.l10n.t('It cannot be read from here. For a folder, use Upload Dotfiles Folder….');
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

interface Sent {
  readonly stored: string[];
  readonly refused: Refused[];
  readonly cancelled: boolean;
}

async function sendAll(connection: Connection, work: readonly Placed<Source>[]): Promise<Sent> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: vscode.l10n.t('Uploading dotfiles'),
    cancellable: true,
  };
  return await vscode.window.withProgress(options, async (progress, token) => {
    const stop = new AbortController();
    token.onCancellationRequested(() => stop.abort());
    const sent: Sent = { stored: [], refused: [], cancelled: false };
    const queue = work.values();
    const runner = async (): Promise<void> => {
      for (const placed of queue) {
        if (stop.signal.aborted) return;
        progress.report({ message: placed.path, increment: 100 / work.length });
        const why = await sendOne(connection, placed, stop.signal);
        if (why === undefined) sent.stored.push(placed.path);
        else if (!stop.signal.aborted) sent.refused.push({ name: placed.candidate.name, why });
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, work.length) }, runner));
    return { ...sent, cancelled: stop.signal.aborted };
  });
}

/** @returns why it was refused, or undefined */
async function sendOne(
  { dotfiles }: Connection,
  { candidate, path }: Placed<Source>,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const known = dotfiles.entry(path)?.dotfile;
    const base = known === undefined ? ('create' as const) : known;
    await dotfiles.save(path, await candidate.read(), { base, kind: candidate.kind, origin: 'import', signal });
    return undefined;
  } catch (error) {
    if (error instanceof SpoonError || isCancellation(error)) return failureText(error);
    // Reading it failed: gone, locked, not allowed.
    return vscode.l10n.t('It could not be read: {0}', failureText(error));
  }
}

function report(result: { stored: number; total: number; refused: readonly Refused[]; cancelled: boolean }): void {
  const { stored, total, refused, cancelled } = result;
  if (refused.length > 0) {
    const list = shortList(refused.map(({ name, why }) => `${name}: ${why}`));
    const details = vscode.l10n.t('Show Details');
    const summary = vscode.l10n.t(
      '{0} of {1} files were uploaded; {2} were refused.',
      stored,
      total + refused.length,
      refused.length,
    );
    void vscode.window.showWarningMessage(summary, details).then((answer) => {
      if (answer === details) return vscode.window.showWarningMessage(summary, { modal: true, detail: list });
      return undefined;
    });
  } else if (cancelled) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('Cancelled: {0} of {1} files were uploaded and stay.', stored, total),
    );
  }
}

function shortList(lines: readonly string[]): string {
  const shown = lines.slice(0, 15);
  if (lines.length > shown.length) shown.push(vscode.l10n.t('… and {0} more', lines.length - shown.length));
  return shown.join('\n');
}
