import { existsSync } from 'node:fs';
import type { RepositoryRunState } from '../../protocol/boxdRepository.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { cloneTimeoutMs, maxRepositoryBytes, maxRunLogBytes } from '../../protocol/limits.ts';
import type { RepositoryPreview } from '../../protocol/repository.ts';
import { repositoryFolder } from '../../protocol/setupScript.ts';
import { KeptText } from '../git/keptText.ts';
import type { Git } from '../git/runGit.ts';
import { MaskedOutput } from '../processes/maskedOutput.ts';
import type { Settings } from '../settings.ts';
import { bringCheckout, resolveRef } from './checkout.ts';
import { hashFile, isSetUp } from './environmentHash.ts';
import { runner } from './gitRunner.ts';
import { unlinkEntries } from './links.ts';
import { moveAside } from './moveAside.ts';
import { previewRun } from './preview.ts';
import { rollBackFile } from './rollBackFile.ts';
import type { RunRequest } from './runRequest.ts';
import { setupStage } from './setupStage.ts';
import { removeSpoonFile } from './spoonFiles.ts';
import { type RunDraft, Stages } from './stages.ts';
import { withAccess } from './withAccess.ts';

/** Longer, and a client's own time-out for one request would come first. */
const pollMs = 10_000;

interface CurrentRun {
  readonly run: RunDraft;
  readonly key: string;
  readonly log: KeptText;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** Clone and setup of the dotfiles repository: one run at a time, which goes on whether or not the service is there. */
export class RepositoryRuns {
  readonly #settings: Settings;
  readonly #git: Git;
  readonly #report: (problem: unknown) => void;
  #current: CurrentRun | undefined;
  #step = 0;
  #changed = Promise.withResolvers<void>();

  /** @param report a bug that ended a run */
  constructor(settings: Settings, git: Git, report: (problem: unknown) => void) {
    this.#settings = settings;
    this.#git = git;
    this.#report = report;
  }

  /** 1 while one runs: it holds the box. */
  get runningCount(): number {
    return this.#current?.run.state === 'running' ? 1 : 0;
  }

  /** Begins a run unless nothing changed; one of the same that is under way is joined, any other is ended first. */
  async start(request: RunRequest): Promise<RepositoryRunState> {
    const key = JSON.stringify({ ...request, force: false, credential: null, environment: {}, masked: [] });
    const current = this.#current;
    if (current?.run.state === 'running') {
      if (current.key === key) return this.#state(false);
      await this.cancel();
    }
    if (!request.force && isSetUp(this.#settings.home, request)) return this.#state(true);
    this.#begin(request, key);
    return this.#state(false);
  }

  /** As soon as it is newer than `step`, or after a while as it is. */
  async watch(step: number): Promise<RepositoryRunState> {
    if (step >= this.#step) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, pollMs);
      await Promise.race([this.#changed.promise, promise]);
      clearTimeout(timer);
    }
    return this.#state(false);
  }

  get log(): Buffer {
    return Buffer.from(this.#current?.log.text ?? '');
  }

  async cancel(): Promise<RepositoryRunState> {
    this.#current?.abort.abort();
    await this.#current?.done;
    return this.#state(false);
  }

  /** What the ref points to. @throws SpoonError `ref-missing`, `repository-…`, `git-…` */
  async resolve(of: Pick<RunRequest, 'url' | 'ref' | 'credential'>): Promise<string> {
    const { signal } = new AbortController();
    const { credential } = of;
    const parts = { git: this.#git, signal, credential, maxBytes: maxRepositoryBytes, say: () => {} };
    const run = runner(parts, Date.now() + cloneTimeoutMs / 4);
    return withAccess(of, () => resolveRef(run, this.#settings.home, of));
  }

  /** What a run would do; nothing is changed. @throws SpoonError as a run's first stage; `checkout-busy` while one runs */
  async preview(request: RunRequest): Promise<RepositoryPreview> {
    if (this.runningCount > 0)
      throw new SpoonError('checkout-busy', 'The setup runs just now. Look when it has ended.');
    const { signal } = new AbortController();
    const { credential, maxBytes } = request;
    const parts = { git: this.#git, home: this.#settings.home, signal, credential, maxBytes, say: () => {} };
    return withAccess(request, () => previewRun(parts, request));
  }

  /** @throws SpoonError as {@link rollBackFile}; `checkout-busy` while a run goes on */
  async rollBackFile(of: { commit: string; path: string }): Promise<{ notes: string[] }> {
    if (this.runningCount > 0)
      throw new SpoonError('checkout-busy', 'The setup runs just now. Try again when it has ended.');
    const { signal } = new AbortController();
    const parts = { git: this.#git, signal, credential: null, maxBytes: maxRepositoryBytes, say: () => {} };
    return { notes: await rollBackFile(runner(parts, Date.now() + cloneTimeoutMs / 4), this.#settings.home, of) };
  }

  /**
   * Takes back what was linked, and puts what was displaced where it was. Where no link was made a script may have led
   * others to the checkout: it stays.
   */
  async remove(): Promise<{ notes: string[] }> {
    await this.cancel();
    const { home } = this.#settings;
    const taken = unlinkEntries(home);
    removeSpoonFile(home, hashFile);
    this.#current = undefined;
    this.#tell();
    if (!existsSync(`${home}/${repositoryFolder}`)) return { notes: [] };
    if (taken === 0) {
      return {
        notes: [`~/${repositoryFolder} stays: what its setup made may lead there. Delete it when nothing does.`],
      };
    }
    return { notes: [`~/${repositoryFolder} is at ~/${moveAside(home, repositoryFolder)} now.`] };
  }

  async close(): Promise<void> {
    await this.cancel();
  }

  #begin(request: RunRequest, key: string): void {
    const run: RunDraft = {
      state: 'running',
      startedMs: Date.now(),
      endedMs: null,
      commit: request.commit,
      script: null,
      stages: [],
      notes: [],
      manager: null,
    };
    const log = new KeptText(maxRunLogBytes);
    const abort = new AbortController();
    const done = this.#perform(request, { run, log, abort }).catch((error: unknown) => {
      this.#report(error);
      end(run, 'failed');
      run.notes = [...run.notes, 'Something in Spoon went wrong. Your files are as they were.'];
    });
    const ended = done.then(() => this.#tell());
    this.#current = { run, key, log, abort, done: ended };
    this.#tell();
  }

  async #perform(request: RunRequest, { run, log, abort }: Pick<CurrentRun, 'run' | 'log' | 'abort'>): Promise<void> {
    const { signal } = abort;
    const stages = new Stages(run, () => this.#tell());
    const say = (text: string) => log.add(Buffer.from(text));
    const { credential, maxBytes } = request;
    const parts = { git: this.#git, home: this.#settings.home, signal, credential, maxBytes, say };
    say(`== repository: ${request.url} ${request.ref ?? ''}\n`);
    const fetched = await stages.run('repository', signal, async () => {
      const { commit, notes } = await withAccess(request, () => bringCheckout(parts, request));
      run.commit = commit;
      run.notes = [...run.notes, ...notes];
      return { state: 'ok', detail: `At commit ${commit.slice(0, 12)}.` };
    });
    const { commit } = run;
    const isDone =
      fetched &&
      commit !== null &&
      (await stages.run('setup', signal, async () => {
        say('== setup\n');
        const output = new MaskedOutput(request.masked, (chunk) => log.add(chunk));
        const onOutput = (chunk: Buffer) => output.add(chunk);
        try {
          return await setupStage({ settings: this.#settings, request, commit, run, signal, output: onOutput });
        } finally {
          output.end();
        }
      }));
    for (const { name, state, detail } of run.stages)
      say(`== ${name}: ${state}${detail === undefined ? '' : `. ${detail}`}\n`);
    end(run, isDone ? 'ok' : signal.aborted ? 'cancelled' : 'failed');
  }

  #state(upToDate: boolean): RepositoryRunState {
    return { step: this.#step, upToDate, run: this.#current === undefined ? null : structuredClone(this.#current.run) };
  }

  #tell(): void {
    this.#step++;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Both at once: whoever looks between them would see a run that has ended and never did. */
function end(run: RunDraft, state: RunDraft['state']): void {
  run.state = state;
  run.endedMs = Date.now();
}
