import * as vscode from 'vscode';
import type { ApiClient } from '../../client/apiClient.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import { isEndedJobState, type Job } from '../../protocol/jobs.ts';

/** The jobs of one account as last heard of, the newest first. */
export class HomeJobs implements vscode.Disposable {
  readonly #api: ApiClient;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #ended = new vscode.EventEmitter<Job>();
  #jobs: readonly Job[] = [];
  #isListed = false;
  #isRefreshing = false;
  readonly onDidChange = this.#changed.event;
  /** A job that this window has seen before its end. */
  readonly onDidEnd = this.#ended.event;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  get isListed(): boolean {
    return this.#isListed;
  }

  get list(): readonly Job[] {
    return this.#jobs;
  }

  get unfinished(): readonly Job[] {
    return this.#jobs.filter(({ state }) => !isEndedJobState(state));
  }

  find(id: string): Job | undefined {
    return this.#jobs.find((job) => job.id === id);
  }

  /** @throws SpoonError */
  async refresh(): Promise<void> {
    try {
      this.#take((await this.#api.call('listJobs', { query: {} })).jobs);
      this.#isListed = true;
    } catch (error) {
      // An older service knows nothing of jobs.
      if (!(error instanceof SpoonError) || error.code !== 'not-found') throw error;
    }
    this.#changed.fire();
  }

  /** For who need not know whether it could be asked; a failure is the connection's to show. */
  refreshSoon(): void {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    const done = (): void => {
      this.#isRefreshing = false;
    };
    this.refresh().then(done, done);
  }

  receive(event: SpoonEvent): void {
    if (event.type === 'job.changed') this.put(event.job);
    else if (event.type === 'job.removed') this.drop(event.ids);
  }

  put(job: Job): void {
    this.#take([job, ...this.#jobs.filter(({ id }) => id !== job.id)]);
    this.#changed.fire();
  }

  drop(ids: readonly string[]): void {
    this.#jobs = this.#jobs.filter(({ id }) => !ids.includes(id));
    this.#changed.fire();
  }

  dispose(): void {
    this.#changed.dispose();
    this.#ended.dispose();
  }

  #take(jobs: readonly Job[]): void {
    const before = new Map(this.#jobs.map((job) => [job.id, job]));
    this.#jobs = jobs.toSorted((one, other) => other.createdMs - one.createdMs);
    for (const job of jobs) {
      const known = before.get(job.id);
      if (known !== undefined && !isEndedJobState(known.state) && isEndedJobState(job.state)) this.#ended.fire(job);
    }
  }
}
