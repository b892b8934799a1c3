import type { FastifyInstance } from 'fastify';
import type { SpoonError } from '../protocol/errors.ts';
import { workerScopes } from '../protocol/scopes.ts';
import { parseToken, tokenKinds } from '../protocol/tokenFormat.ts';
import type { RunningBox } from './boxes/boxes.ts';
import type { DotfilesRepository } from './environment/dotfilesRepository.ts';
import type { RateLimits } from './http/rateLimits.ts';
import type { Caller } from './http/route.ts';
import { WorkerTokens } from './identity/workerTokens.ts';
import type { JobSettings } from './jobSettings.ts';
import { JobRecords } from './jobs/jobRecords.ts';
import { addJobRoutes } from './jobs/jobRoutes.ts';
import { JobRunner, type JobRunnerParts } from './jobs/jobRunner.ts';
import { Jobs, type JobsParts } from './jobs/jobs.ts';
import { JobViewers } from './jobs/jobViewers.ts';
import { addWorkerRoutes, type WorkerRouteParts } from './jobs/workerRoutes.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { Store } from './store/database.ts';
import type { Threads } from './threads/threads.ts';

export interface JobSideParts
  extends Pick<JobRunnerParts, 'boxes' | 'findUser' | 'secretsFor' | 'publish' | 'onError'>,
    Pick<WorkerRouteParts, 'overlayOf' | 'contents'> {
  /** Dotfiles are turned off. */
  readonly isOff: (userId: string) => Promise<boolean>;
  readonly settings: JobSettings;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly threads: Pick<Threads, 'folderFor' | 'named'>;
  readonly repository: Pick<DotfilesRepository, 'state'>;
  readonly onDamage: (damage: { userId: string; error: SpoonError }) => void;
}

/** Everything that makes up agent jobs, from the store to the routes. */
export class JobSide {
  readonly jobs: Jobs;
  readonly runner: JobRunner;
  readonly viewers: JobViewers;
  readonly #workerTokens: WorkerTokens;
  readonly #parts: JobSideParts;

  constructor(parts: JobSideParts) {
    this.#parts = parts;
    const { settings, store, keyring, threads, publish, onError, onDamage } = parts;
    const { command, maxConcurrent, timeLimitMs } = settings;
    const records = new JobRecords({ store, keyring, now: Date.now, onDamage });
    const folderFor = (box: RunningBox, thread: string, signal: AbortSignal) =>
      threads.folderFor(box, thread, { signal });
    this.runner = new JobRunner({ ...parts, records, folderFor, command, maxConcurrent });
    const findThread: JobsParts['findThread'] = (userId, name) => threads.named(userId, name);
    this.jobs = new Jobs({ records, runner: this.runner, findThread, command, timeLimitMs, publish });
    this.viewers = new JobViewers({
      runner: this.runner,
      find: (userId, id) => this.jobs.find(userId, id),
      storedLog: (job) => ({ read: (from) => records.logPart(job, from) }),
      onError,
    });
    this.#workerTokens = new WorkerTokens({ store, keyring });
  }

  /** Undefined for what is no token of a worker. @throws SpoonError `unauthenticated`, `token-expired` */
  verifyWorker(token: string): Promise<Caller> | undefined {
    if (parseToken(token)?.kind !== tokenKinds.worker) return undefined;
    const rights = { kind: 'worker', userId: null, username: null, scopes: new Set(workerScopes) } as const;
    return this.#workerTokens.verify(token).then((holder) => ({ ...rights, ...holder }));
  }

  /** Cancels all jobs of a user and ends the box, in which they could cling to their time. */
  async endAllOf(userId: string, stopBox: () => Promise<void>): Promise<void> {
    const over = await this.runner.cancelAllOf(userId);
    await stopBox();
    await over();
  }

  addRoutes(app: FastifyInstance, limits: RateLimits): void {
    const { settings, findUser, repository, isOff, overlayOf, contents } = this.#parts;
    addJobRoutes(app, { jobs: this.jobs, limits });
    addWorkerRoutes(app, {
      runner: this.runner,
      maxConcurrent: settings.maxConcurrent,
      createToken: (jobId, lifeMs) => this.#workerTokens.create(jobId, lifeMs),
      usernameOf: async (userId) => (await findUser(userId)).username,
      repositoryOf: async (userId) => {
        const { settings: chosen, commit } = await repository.state(userId);
        if (chosen === null || !chosen.enabled || (await isOff(userId))) return null;
        return { url: chosen.url, ref: chosen.ref, commit, setup: chosen.setup, manager: chosen.manager };
      },
      overlayOf,
      contents,
    });
  }

  /** Viewers are told that the service comes back; what runs in boxes runs on. */
  async close(): Promise<void> {
    this.viewers.close();
    await this.runner.close();
  }
}
