import { CheckoutStatuses, GitOperation } from '../../protocol/boxdGit.ts';
import type { BoxdCalls } from './boxdCall.ts';

const quickMs = 5_000;
const slowMs = 30_000;

/** What the service asks of boxd about checkouts (`protocol/boxdGit.ts`); errors as in {@link BoxdClient}. */
export class BoxdGit {
  readonly #calls: BoxdCalls;

  constructor(calls: BoxdCalls) {
    this.#calls = calls;
  }

  /** Begins something; what becomes of it is {@link operation}'s to say. */
  start(start: Readonly<Record<string, unknown>>): Promise<GitOperation> {
    const body = Buffer.from(JSON.stringify(start));
    return this.#calls.json(GitOperation, { method: 'POST', path: '/v1/git', body, timeoutMs: quickMs });
  }

  /** Waits a little for something newer than `step`. */
  operation(id: string, step: number): Promise<GitOperation> {
    return this.#calls.json(GitOperation, { method: 'GET', path: `/v1/git/${id}?step=${step}`, timeoutMs: quickMs });
  }

  /** Resolves once nothing of it runs any more. */
  async cancel(id: string): Promise<void> {
    await this.#calls.call({ method: 'DELETE', path: `/v1/git/${id}`, timeoutMs: slowMs });
  }

  statuses(folders: readonly string[], maxAgeMs: number): Promise<CheckoutStatuses> {
    const body = Buffer.from(JSON.stringify({ folders, maxAgeMs }));
    return this.#calls.json(CheckoutStatuses, { method: 'POST', path: '/v1/git-status', body, timeoutMs: slowMs });
  }
}
