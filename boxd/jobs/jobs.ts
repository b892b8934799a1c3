import { rmSync } from 'node:fs';
import { fillAgentCommand } from '../../protocol/agentCommand.ts';
import type { TerminalStates } from '../../protocol/boxd.ts';
import type { StartedJob } from '../../protocol/boxdJobs.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { Git } from '../git/runGit.ts';
import { fullHomeNote } from '../home/fullHome.ts';
import { loginEnvironment } from '../processes/loginEnvironment.ts';
import { findWorkingFolder } from '../processes/workingFolder.ts';
import type { Settings } from '../settings.ts';
import { CheckoutChanges } from './checkoutChanges.ts';
import { Job } from './job.ts';

/** The service allows far fewer; this bounds what a bug there could start. */
const maxJobs = 64;
const markerName = 'SPOON_JOB_ID';
/** Relative to the home; nothing in it outlives its job. */
const scratchFolder = '.spoon/jobs';

/** A terminal to write to, but nobody at it: what would wait for a key or a password is told not to. */
const environmentOfJobs = {
  TERM: 'xterm-256color',
  COLORTERM: 'truecolor',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GIT_TERMINAL_PROMPT: '0',
  GIT_EDITOR: 'true',
} as const;

/** What `StartJob` of protocol/boxdJobs.ts says, read by hand. */
export interface JobRequest {
  readonly id: string;
  readonly command: readonly string[];
  readonly prompt: string;
  readonly spoon: string;
  readonly branch: string;
  readonly cwd: string;
  readonly timeLimitMs: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** The agent runs of this box, by id: from their start until the service has taken over what became of them. */
export class Jobs {
  readonly #settings: Settings;
  readonly #git: Git;
  readonly #report: (problem: unknown) => void;
  readonly #jobs = new Map<string, Job>();
  readonly #starting = new Set<string>();

  constructor(settings: Settings, git: Git, report: (problem: unknown) => void) {
    this.#settings = settings;
    this.#git = git;
    this.#report = report;
    // Of jobs that ended with the box.
    rmSync(`${settings.home}/${scratchFolder}`, { recursive: true, force: true });
  }

  /** They hold the box. */
  get running(): NonNullable<TerminalStates['jobs']> {
    return [...this.#jobs.values()].filter(({ ended }) => !ended).map(({ id, thread }) => ({ id, thread }));
  }

  /** @throws SpoonError `request-invalid`, `too-many-requests` */
  async start(request: JobRequest): Promise<StartedJob> {
    const { id } = request;
    if (this.#jobs.has(id) || this.#starting.has(id)) {
      throw new SpoonError('request-invalid', 'There is a job of this id.');
    }
    if (this.#jobs.size + this.#starting.size >= maxJobs) throw new SpoonError('too-many-requests');
    this.#starting.add(id);
    try {
      return await this.#start(request);
    } finally {
      this.#starting.delete(id);
    }
  }

  async #start(request: JobRequest): Promise<StartedJob> {
    const { id, prompt, spoon, branch, timeLimitMs, secrets } = request;
    const { home, shell } = this.#settings;
    const folder = findWorkingFolder(home, request.cwd);
    const changes = await CheckoutChanges.begin(this.#git, folder.path, `${home}/${scratchFolder}/${id}`);
    const job = await Job.start(
      {
        id,
        thread: `${spoon}/${branch}`,
        argv: fillAgentCommand(request.command, { dir: folder.path, prompt, spoon, branch, job: id }),
        cwd: folder.path,
        environment: loginEnvironment(this.#settings, {
          shell,
          extra: { ...environmentOfJobs, ...request.environment },
          marker: { [markerName]: id, PWD: folder.path },
        }),
        marker: `${markerName}=${id}`,
        timeLimitMs,
        secrets,
        changes,
      },
      this.#report,
    );
    this.#jobs.set(id, job);
    const blind = changes === undefined ? 'Git could not look at the folder, so the changes are not known.' : undefined;
    const notes = [folder.note, fullHomeNote(home), blind].filter((note) => note !== undefined);
    return { notes };
  }

  /** @throws SpoonError `not-found` */
  get(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new SpoonError('not-found', 'There is no such job.');
    return job;
  }

  /** @throws SpoonError `not-found`, `job-unfinished` */
  forget(id: string): void {
    if (!this.get(id).ended) throw new SpoonError('job-unfinished');
    this.#jobs.delete(id);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map((job) => job.close()));
  }
}
