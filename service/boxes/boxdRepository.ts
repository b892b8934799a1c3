import {
  RepositoryRemoved,
  RepositoryRunState,
  ResolvedRef,
  type ResolveRef,
  type StartRepositoryRun,
} from '../../protocol/boxdRepository.ts';
import { maxRunLogBytes } from '../../protocol/limits.ts';
import { RepositoryPreview } from '../../protocol/repository.ts';
import type { BoxdCalls } from './boxdCall.ts';

const slowMs = 30_000;
/** More than boxd holds back an answer while nothing changes, or a question to a repository's server takes. */
const watchMs = 40_000;

/** What the service asks of boxd about the dotfiles repository (`protocol/boxdRepository.ts`); errors as in {@link BoxdClient}. */
export class BoxdRepository {
  readonly #calls: BoxdCalls;

  constructor(calls: BoxdCalls) {
    this.#calls = calls;
  }

  /** Begins clone and setup, unless nothing changed since they last ended well. */
  start(start: StartRepositoryRun): Promise<RepositoryRunState> {
    return this.#calls.json(RepositoryRunState, post('run', start));
  }

  /** The run, as soon as it is newer than `step`, or after a while as it is. */
  watch(step: number): Promise<RepositoryRunState> {
    const path = `/v1/repository/run?step=${step}`;
    return this.#calls.json(RepositoryRunState, { method: 'GET', path, timeoutMs: watchMs });
  }

  /** What the run has printed; of a box, so nothing in it is believed. */
  async log(): Promise<Buffer> {
    const path = '/v1/repository/log';
    const maxBytes = 2 * maxRunLogBytes;
    return (await this.#calls.call({ method: 'GET', path, timeoutMs: slowMs, maxBytes })).body;
  }

  /** Resolves once nothing of it runs any more. */
  async cancel(): Promise<void> {
    await this.#calls.json(RepositoryRunState, post('cancel', {}));
  }

  /** The commit that a ref points to, without fetching it. */
  async resolve(of: ResolveRef): Promise<string> {
    return (await this.#calls.json(ResolvedRef, post('resolve', of))).commit;
  }

  /** What a run would do; may have to fetch for it. */
  preview(of: StartRepositoryRun): Promise<RepositoryPreview> {
    return this.#calls.json(RepositoryPreview, { ...post('preview', of), timeoutMs: of.cloneMs + slowMs });
  }

  /** @returns what a person should know */
  async rollBackFile(of: { readonly commit: string; readonly path: string }): Promise<string[]> {
    return (await this.#calls.json(RepositoryRemoved, post('roll-back-file', of))).notes;
  }

  /** Takes out what was linked, and puts back what was displaced. @returns what a person should know */
  async remove(): Promise<string[]> {
    return (await this.#calls.json(RepositoryRemoved, post('remove', {}))).notes;
  }
}

function post(verb: string, body: unknown) {
  const method = 'POST';
  return {
    method,
    path: `/v1/repository/${verb}`,
    body: Buffer.from(JSON.stringify(body)),
    timeoutMs: watchMs,
  } as const;
}
