import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { SpoonError } from '../../protocol/errors.ts';
import { withoutHidden } from '../../protocol/plainText.ts';
import type { CheckoutLosses } from '../../protocol/threads.ts';
import { toHomeError } from '../home/homeErrors.ts';
import { isCheckout, look, removeEmptyAbove } from './checkoutPlace.ts';
import { countUnpushed, listStashes, localGit, unpushedRange } from './checkoutStatus.ts';
import { gitError } from './gitErrors.ts';
import type { Git } from './runGit.ts';
import { StatusOutput } from './statusOutput.ts';

const maxEntries = 10_000;
const maxNames = 100;
const lossesTimeoutMs = 30_000;
const trashPrefix = '.spoon-trash-';

type Counted = Omit<CheckoutLosses, 'confirm'>;

const nothing: Counted = {
  unpushed: [],
  unpushedCount: 0,
  unsaved: [],
  unsavedCount: 0,
  stashes: [],
  stashesCount: 0,
  ignored: [],
  ignoredCount: 0,
  unreadable: false,
};

/** What deleting a checkout would lose, by name; `confirm` stands for exactly that. */
export async function readLosses(git: Git, home: string, folder: string): Promise<CheckoutLosses> {
  const losses = await countLosses(git, home, folder);
  const confirm = createHash('sha256').update(JSON.stringify(losses)).digest('hex').slice(0, 32);
  return { ...losses, confirm };
}

async function countLosses(git: Git, home: string, folder: string): Promise<Counted> {
  const stat = look(home, folder);
  if (stat === undefined || !stat.isDirectory()) return nothing;
  const cwd = `${home}/${folder}`;
  if (!isCheckout(home, folder)) return unreadable(cwd);
  try {
    return await readAll(git, cwd);
  } catch (error) {
    if (error instanceof SpoonError && error.code === 'checkout-broken') return unreadable(cwd);
    throw error;
  }
}

async function readAll(git: Git, cwd: string): Promise<Counted> {
  const output = new StatusOutput({ maxEntries, maxNames });
  const { code, stderr } = await git.run({
    args: ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=normal', '--ignored=matching'],
    cwd,
    trust: 'local',
    timeoutMs: lossesTimeoutMs,
    onOutput: (chunk) => output.add(chunk),
  });
  if (code !== 0 && code !== null) throw gitError(stderr);
  const log = output.hasCommits
    ? await localGit(git, cwd, ['log', `--max-count=${maxNames}`, '--format=%h %s', ...unpushedRange])
    : '';
  const stashes = await listStashes(git, cwd);
  return {
    unpushed: lines(log),
    unpushedCount: output.hasCommits ? await countUnpushed(git, cwd, maxEntries) : 0,
    unsaved: output.unsaved.map(plain),
    unsavedCount: output.unsavedCount,
    stashes: stashes.slice(0, maxNames).map(plain),
    stashesCount: stashes.length,
    ignored: output.ignored.map(plain),
    ignoredCount: output.ignoredCount,
    unreadable: false,
  };
}

function unreadable(cwd: string): Counted {
  const names = readdirSync(cwd).sort();
  return {
    ...nothing,
    unreadable: names.length > 0,
    unsaved: names.slice(0, maxNames).map(plain),
    unsavedCount: names.length,
  };
}

/** In words, for the refusal; empty when nothing would be lost. */
export function lossesInWords(losses: CheckoutLosses): string {
  const count = (number: number, one: string, many: string) =>
    number === 0 ? [] : [`${number} ${number === 1 ? one : many}`];
  if (losses.unreadable) return `Git cannot read it; it holds ${losses.unsaved.slice(0, 3).join(', ')}.`;
  const parts = [
    ...count(losses.unpushedCount, 'commit that is nowhere else', 'commits that are nowhere else'),
    ...count(losses.unsavedCount, 'file with unsaved changes', 'files with unsaved changes'),
    ...count(losses.stashesCount, 'stash', 'stashes'),
    ...count(losses.ignoredCount, 'ignored file or folder', 'ignored files and folders'),
  ];
  return parts.length === 0 ? '' : `It has ${parts.join(', ')}.`;
}

/**
 * Deletes a checkout, if nothing would be lost or `confirm` names what is. Out of sight first: what is half deleted never
 * looks like a checkout.
 * @returns whether there was one @throws SpoonError `work-would-be-lost`
 */
export async function removeCheckout(
  git: Git,
  home: string,
  { folder, confirm }: { folder: string; confirm: string | undefined },
): Promise<boolean> {
  const stat = look(home, folder);
  // A file or link in the place of the checkout is not what was made here, and stays.
  if (stat === undefined || !stat.isDirectory()) return false;
  const losses = await readLosses(git, home, folder);
  const words = lossesInWords(losses);
  if (words !== '' && confirm !== losses.confirm) {
    const changed = confirm === undefined ? '' : ' It has changed since you looked.';
    throw new SpoonError('work-would-be-lost', `${words}${changed}`);
  }
  const spoonFolder = folder.split('/').slice(0, 2).join('/');
  const trash = `${home}/${spoonFolder}/${trashPrefix}${randomBytes(6).toString('hex')}`;
  try {
    renameSync(`${home}/${folder}`, trash);
    removeEmptyAbove(home, folder);
    await rm(trash, { recursive: true, force: true, maxRetries: 3 });
    removeEmptyAbove(home, folder);
  } catch (error) {
    throw toHomeError(error, folder);
  }
  return true;
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(plain);
}

function plain(text: string): string {
  return withoutHidden(text, '?').slice(0, 500);
}
