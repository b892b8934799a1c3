import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { ApiClient } from '../client/apiClient.ts';
import type { StageReport } from '../protocol/boxes.ts';
import { dotfileManagers, isDotfileManager } from '../protocol/dotfileManagers.ts';
import type { RepositoryRun, RepositoryState } from '../protocol/repository.ts';
import { isRefused } from '../protocol/repositoryCredential.ts';
import { type CommandLine, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connect } from './connection.ts';
import { exitCodes } from './exitCodes.ts';
import { addRepositoryCredential, anyHostAddress, sealCredential } from './repositoryCredential.ts';
import { addRepositoryPreview, numberOf, rollBackFile } from './repositoryPreview.ts';
import { type ScratchOptions, testInScratch } from './repositoryScratch.ts';

interface SetOptions extends JsonOption {
  readonly ref?: string;
  readonly setup?: string;
  readonly manager?: string;
  readonly always?: true;
  readonly submodules?: true;
  readonly lfs?: true;
  readonly token?: true;
  readonly username?: string;
  readonly key?: string;
  readonly hostKeys?: string;
  readonly off?: true;
  readonly wait: boolean;
}

/** A start of the box, and a question to the repository's server. */
const callTimeoutMs = 180_000;
const pollMs = 300;

/** `spoonctl dotfiles repo …` */
export function addRepository(dotfiles: Command, line: CommandLine): void {
  const repo = dotfiles.command('repo').description('the repository that your home is set up from');
  const verb = (name: string, description: string) => withJson(repo.command(name).description(description));
  const show = (options: JsonOption, state: RepositoryState) => {
    line.print(options, state, () => repositoryText(state));
    if (state.run?.state === 'failed') line.exitCode = exitCodes.refused;
  };

  verb('set <url>', 'choose it: https://host/path, or owner/repo of GitHub')
    .option('--ref <name>', 'branch, tag or whole commit id; default: its default branch')
    .option('--setup <path>', 'the script to run, below the repository; default: the well-known names')
    .addOption(
      new Option('--manager <name>', 'run the command of a dotfile manager instead').choices(
        Object.keys(dotfileManagers),
      ),
    )
    .option('--always', 'take every new commit of the ref without asking')
    .option('--submodules', 'fetch its submodules too, over https')
    .option('--lfs', 'fetch the files that Git LFS keeps; needs git-lfs in the image')
    .option('--token', 'it is private: its token comes from stdin, or is asked for')
    .option('--username <name>', 'the name that goes with the token, where the host takes only the right one')
    .option('--key <file>', 'it is private: its deploy key, for an address with ssh')
    .option('--host-keys <file>', "the server's own keys, as ssh-keyscan prints them")
    .option('--off', 'keep the settings, but switch it off')
    .option('--no-wait', 'do not wait for the setup')
    .addHelpText('after', setHelp)
    .action(async (url: string, options: SetOptions) => {
      const { api } = await connect(line);
      const { ref = null, setup = null, manager } = options;
      const chosen = isDotfileManager(manager) ? manager : null;
      if (setup !== null && chosen !== null) throw new UsageError('Give --setup or --manager, not both.');
      if (options.token && options.key !== undefined) throw new UsageError('Give --token or --key, not both.');
      const credential = await givenCredential(line, url, options);
      const always = options.always ?? false;
      const enabled = options.off === undefined;
      const { submodules, lfs } = options;
      const extras = { ...(submodules && { submodules }), ...(lfs && { lfs }), ...(credential && { credential }) };
      const body = { url, ref, setup, manager: chosen, always, enabled, ...extras };
      const state = await api.call('setRepository', { body, timeoutMs: callTimeoutMs });
      if (body.enabled)
        line.note('What its setup script does, it does as you in your box. Choose only what you trust.');
      const isRunning = state.run?.state === 'running';
      const ended = options.wait && isRunning ? await untilEnded(api, state) : state;
      line.print(options, ended, () =>
        isRunning || !body.enabled
          ? repositoryText(ended)
          : `${repositoryText({ ...ended, run: null })}\nIt is set up when your box starts next.`,
      );
      if (isRunning && ended.run?.state === 'failed') line.exitCode = exitCodes.refused;
    });

  verb('show', 'what is chosen, which commit counts, and how the last run went').action(async (options: JsonOption) => {
    const { api } = await connect(line);
    const state = await api.call('repository');
    line.print(options, state, () => repositoryText(state));
  });

  verb('test', 'ask whether it answers and what its ref points to; fetches nothing')
    .option('--scratch', 'run clone and setup in a throw-away box on a copy of your home; Ctrl-C cancels')
    .option('--update', 'with --scratch: of the update that was found')
    .option('--log', 'with --scratch: print what it printed, too')
    .action(async (options: ScratchOptions) => {
      if (options.scratch) return testInScratch(line, options, stageText);
      if (options.update || options.log) throw new UsageError('--update and --log go with --scratch.');
      const { api } = await connect(line);
      const state = await api.call('checkRepository', { timeoutMs: callTimeoutMs });
      line.print(options, state, () => repositoryText(state));
    });

  addRepositoryCredential(verb, line, repositoryText);
  addRepositoryPreview(verb, line);

  verb('rollback <generation>', 'apply an earlier generation again; 0 gives back what was there before any')
    .option('--file <path>', 'this one file of it alone: of your home, or of ~/.dotfiles')
    .option('--no-wait', 'do not wait for its end')
    .action(async (text: string, options: JsonOption & { wait: boolean; file?: string }) => {
      const body = { generation: numberOf(text) };
      if (options.file !== undefined) return rollBackFile(line, options, { ...body, typed: options.file });
      const { api } = await connect(line);
      const state = await api.call('rollBackRepository', { body, timeoutMs: callTimeoutMs });
      line.note(rollBackNote);
      show(options, options.wait ? await untilEnded(api, state) : state);
    });

  const runs = {
    update: { description: 'take what its ref points to now', body: { update: true } },
    run: { description: 'run clone and setup again, though nothing changed', body: {} },
  };
  for (const [name, { description, body }] of Object.entries(runs)) {
    verb(name, description)
      .option('--no-wait', 'do not wait for its end')
      .action(async (options: JsonOption & { wait: boolean }) => {
        const { api } = await connect(line);
        const state = await api.call('runRepository', { body, timeoutMs: callTimeoutMs });
        show(options, options.wait ? await untilEnded(api, state) : state);
      });
  }

  verb('cancel', 'end the run that is under way, with all that it started').action(async (options: JsonOption) => {
    const { api } = await connect(line);
    const state = await api.call('cancelRepository', { timeoutMs: callTimeoutMs });
    line.print(options, state, () => repositoryText(state));
  });

  repo
    .command('log')
    .description('what the last run printed')
    .action(async () => {
      const { api } = await connect(line);
      const { bytes } = await api.call('repositoryLog');
      line.print({}, undefined, () => Buffer.from(bytes).toString('utf8').trimEnd());
    });

  verb('rm', 'forget it, and put back what was displaced for it').action(async (options: JsonOption) => {
    const { api } = await connect(line);
    const state = await api.call('removeRepository', { timeoutMs: callTimeoutMs });
    line.print(options, state, () => ['The repository is forgotten.', ...(state.run?.notes ?? [])].join('\n'));
  });
}

const rollBackNote = 'What a setup script did outside of what Spoon wrote or displaced is not undone.';
const setHelp = `
Without --setup the first of install.sh, install, bootstrap.sh, bootstrap, script/bootstrap, setup.sh, setup
and script/setup is run; where there is none, the repository's dot files are linked into the home.

Examples:
  spoonctl dotfiles repo set ada/dotfiles
  spoonctl dotfiles repo set https://git.example.org/ada/dotfiles --ref work --setup script/box`;

/** In one step with the repository: refused, both stay as they were. */
async function givenCredential(line: CommandLine, url: string, options: SetOptions) {
  if (options.token) return sealCredential(line, anyHostAddress(url), 'token', options);
  if (options.key === undefined) return undefined;
  return sealCredential(line, anyHostAddress(url), 'key', { ...options, from: options.key });
}

async function untilEnded(api: ApiClient, state: RepositoryState): Promise<RepositoryState> {
  let current = state;
  while (current.run?.state === 'running') {
    await delay(pollMs);
    current = await api.call('repository');
  }
  return current;
}

function repositoryText({ settings, commit, available, checkedMs, credential, run }: RepositoryState): string {
  const head =
    settings === null
      ? ['No dotfiles repository. Choose one with: spoonctl dotfiles repo set OWNER/REPO']
      : [
          `Repository ${settings.url}${settings.enabled ? '' : ', switched off'}`,
          `Ref        ${settings.ref ?? 'its default branch'}${settings.always ? ', always the newest' : ''}`,
          ...(credential === undefined ? [] : [`Access     ${accessText(credential)}`]),
          `Setup      ${setupText(settings)}`,
          ...extrasLine(settings),
          `Commit     ${commit ?? 'not fetched yet'}`,
          ...(available === null ? [] : [`Update     ${available}; take it with: spoonctl dotfiles repo update`]),
          ...(checkedMs === null ? [] : [`Asked      ${formatTime(checkedMs)}`]),
        ];
  return [...head, ...(run === null ? [] : runLines(run))].join('\n');
}

function accessText({ kind, host, updatedMs }: NonNullable<RepositoryState['credential']>): string {
  return `${kind === 'token' ? 'token' : 'deploy key'} for ${host}, set ${formatTime(updatedMs)}`;
}

function extrasLine({ submodules, lfs }: NonNullable<RepositoryState['settings']>): string[] {
  const extras = [...(submodules ? ['submodules'] : []), ...(lfs ? ['Git LFS'] : [])];
  return extras.length === 0 ? [] : [`Fetched    with ${extras.join(' and ')}`];
}

function setupText({ setup, manager }: NonNullable<RepositoryState['settings']>): string {
  if (manager !== null) return `${dotfileManagers[manager].title}: ${dotfileManagers[manager].command}`;
  return setup ?? 'the well-known names, else links';
}

function runLines({ state, startedMs, script, stages, notes }: RepositoryRun): string[] {
  const what = script === null ? '' : ` (${script})`;
  return [
    `Last run   ${state}${what}, begun ${formatTime(startedMs)}`,
    ...stages.map((stage) => `           ${stageText(stage)}`),
    ...notes.map((note) => `           ${note}`),
    ...(isRefused(stages) ? ['           Give it one with: spoonctl dotfiles repo token (https), or key (ssh)'] : []),
    ...(state === 'failed' ? ['           Read why with: spoonctl dotfiles repo log'] : []),
  ];
}

/** One stage on one line: `setup failed (exit code 1) after 2.1 s: why`. */
export function stageText({ name, state, durationMs, exitCode, detail }: StageReport): string {
  const code = exitCode === undefined || exitCode === 0 ? '' : ` (exit code ${exitCode})`;
  const after = state === 'running' ? '' : ` after ${(durationMs / 1000).toFixed(1)} s`;
  return `${name} ${state}${code}${after}${detail === undefined ? '' : `: ${detail}`}`;
}
