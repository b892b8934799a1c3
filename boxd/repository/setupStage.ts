import type { StageReport } from '../../protocol/boxes.ts';
import { dotfileManagers } from '../../protocol/dotfileManagers.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { repositoryFolder } from '../../protocol/setupScript.ts';
import type { Settings } from '../settings.ts';
import { environmentHash, hashFile, writeHash } from './environmentHash.ts';
import { type FoundSetup, findSetup } from './findSetup.ts';
import { linkEntries, unlinkEntries } from './links.ts';
import { overlayPaths } from './overlayPaths.ts';
import { recogniseManager } from './recogniseManager.ts';
import type { RunRequest } from './runRequest.ts';
import { runSetup, type SetupEnd } from './runSetup.ts';
import { readSpoonFile, removeSpoonFile, writeSpoonFile } from './spoonFiles.ts';
import type { RunDraft } from './stages.ts';

interface SetupParts {
  readonly settings: Settings;
  readonly request: RunRequest;
  readonly commit: string;
  readonly run: RunDraft;
  readonly signal: AbortSignal;
  readonly output: (chunk: Buffer) => void;
}

type Outcome = Pick<StageReport, 'state'> & Partial<Pick<StageReport, 'detail' | 'exitCode'>>;

/** Left behind only by a box that ended while a script ran. */
const attemptFile = 'setup-running';
/** Where people install a manager that no package has; a login's PATH has these by ~/.bashrc, which is not read here. */
const ownProgramsFirst = 'PATH="$HOME/.local/bin:$HOME/bin:$PATH"';
/** So often a setup that takes its box along is tried by itself. */
const maxDeaths = 2;

/** What follows the checkout: its script, the command of its manager, or links. Marks the environment as done at a good end. */
export async function setupStage(parts: SetupParts): Promise<Outcome> {
  const { settings, request, commit, run } = parts;
  const { home } = settings;
  const root = `${home}/${repositoryFolder}`;
  const script = findSetup(root, request.setup);
  const setup: FoundSetup = request.manager === null ? script : { kind: 'none' };
  const hash = environmentHash(request, commit, script);
  const recognised = recogniseManager(root) ?? null;
  run.manager = request.manager === null && setup.kind !== 'script' ? recognised : null;
  removeSpoonFile(home, hashFile);
  const outcome = await perform(parts, setup, hash);
  if (outcome.state === 'ok') writeHash(home, hash);
  return outcome;
}

async function perform(parts: SetupParts, setup: FoundSetup, hash: string): Promise<Outcome> {
  const { settings, request, run } = parts;
  const { home } = settings;
  if (request.manager !== null) {
    const { command, program } = dotfileManagers[request.manager];
    run.script = command;
    unlinkEntries(home);
    const end = await guarded(parts, hash, ['bash', '-c', `${ownProgramsFirst}; ${command}`]);
    const missing = end.exitCode === 127 ? `${program} is not in the box. Use an image that has it.` : undefined;
    return outcomeOf(request, end, missing);
  }
  if (setup.kind === 'problem') {
    run.script = setup.path;
    return { state: 'failed', detail: `${setup.path} ${setup.why}. Nothing was run.` };
  }
  if (setup.kind === 'script') {
    run.script = setup.script.path;
    unlinkEntries(home);
    return outcomeOf(request, await guarded(parts, hash, [...setup.script.interpreter, `./${setup.script.path}`]));
  }
  if (run.manager !== null && run.manager !== 'bare-git') {
    const { title, command } = dotfileManagers[run.manager];
    run.notes = [...run.notes, `This looks like a repository of ${title}. Its command would be: ${command}`];
    return { state: 'ok', detail: `Nothing was run: it looks like ${title}, whose own command is offered.` };
  }
  return link(home, run);
}

function link(home: string, run: RunDraft): Outcome {
  const { linked, backups, skipped } = linkEntries(home, overlayPaths(home));
  if (backups.length > 0) {
    const folder = backups[0]?.split('/').slice(0, 3).join('/');
    run.notes = [...run.notes, `${count(backups.length)} in the way; what was there is in ~/${folder}.`];
  }
  const left = skipped.length === 0 ? '' : ` ${skipped.join(', ').slice(0, 200)} stayed as your dotfiles in Spoon say.`;
  return { state: 'ok', detail: `No setup script. ${linked} of its dot entries are linked into the home.${left}` };
}

function count(number: number): string {
  return number === 1 ? '1 file was' : `${number} files were`;
}

/** Runs it with a note of that on the disk, so that one which ends its own box does not do so at every start. */
async function guarded(parts: SetupParts, hash: string, argv: readonly string[]): Promise<SetupEnd> {
  const { settings, request, signal, output } = parts;
  const { home } = settings;
  const [lastHash, deaths] = (readSpoonFile(home, attemptFile) ?? '').split(' ');
  const attempt = lastHash === hash ? Number(deaths) + 1 : 1;
  if (attempt > maxDeaths && !request.force) {
    throw new SpoonError(
      'setup-ends-box',
      'It is not started by itself any more. Repair it, then run the setup again.',
    );
  }
  writeSpoonFile(home, attemptFile, `${hash} ${request.force ? 1 : attempt}`);
  try {
    return await runSetup(settings, {
      argv,
      cwd: `${home}/${repositoryFolder}`,
      environment: request.environment,
      timeoutMs: request.setupMs,
      signal,
      onOutput: output,
    });
  } finally {
    removeSpoonFile(home, attemptFile);
  }
}

function outcomeOf({ setupMs }: RunRequest, { exitCode, ended }: SetupEnd, why?: string): Outcome {
  if (ended === 'cancelled') return { state: 'cancelled', detail: 'It was cancelled, with everything it had started.' };
  if (ended === 'timeout') {
    const seconds = Math.round(setupMs / 1000);
    const limit = seconds >= 120 ? `${Math.round(seconds / 60)} min` : `${seconds} s`;
    return {
      state: 'failed',
      detail: `It did not finish in ${limit} and was ended, with everything it had started.`,
    };
  }
  if (exitCode === 0) return { state: 'ok', exitCode };
  const known = exitCode === 127 ? ': a program that it needs is not in the box' : '';
  return {
    state: 'failed',
    exitCode,
    detail: why ?? `It ended with exit code ${exitCode}${known}. Its log says more.`,
  };
}
