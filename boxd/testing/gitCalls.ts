import assert from 'node:assert/strict';
import type { CheckoutStatuses, GitOperation } from '../../protocol/boxdGit.ts';
import type { CheckoutStatus } from '../../protocol/threads.ts';
import type { TestBox } from './testBox.ts';

/** What the service does with `/v1/git`, by hand. */
export class GitCalls {
  readonly #box: TestBox;
  #count = 0;

  constructor(box: TestBox) {
    this.#box = box;
  }

  async begin(kind: string, fields: Record<string, unknown>): Promise<{ id: string; state: GitOperation }> {
    const id = `op${++this.#count}`;
    const reply = await this.#box.request('POST', '/v1/git', { id, kind, timeoutMs: 60_000, ...fields });
    assert.equal(reply.status, 200, String(reply.body));
    return { id, state: reply.json<GitOperation>() };
  }

  async finish(id: string, first: GitOperation): Promise<GitOperation> {
    let state = first;
    while (state.state === 'running') {
      state = (await this.#box.request('GET', `/v1/git/${id}?step=${state.step}`)).json<GitOperation>();
    }
    return state;
  }

  async run(kind: string, fields: Record<string, unknown>): Promise<GitOperation> {
    const { id, state } = await this.begin(kind, fields);
    return this.finish(id, state);
  }

  /** @param folder `{spoon}/{branch}` */
  make(url: string, folder: string, more: Record<string, unknown> = {}): Promise<GitOperation> {
    return this.run('make', { ...makeFields(url, folder), ...more });
  }

  async status(folder: string): Promise<CheckoutStatus> {
    const body = { folders: [`Code/${folder}`], maxAgeMs: 0 };
    const [first] = (await this.#box.request('POST', '/v1/git-status', body)).json<CheckoutStatuses>().statuses;
    assert.ok(first);
    return first.status;
  }
}

export function makeFields(url: string, folder: string): Record<string, unknown> {
  return {
    url,
    folder: `Code/${folder}`,
    branch: folder.slice(folder.indexOf('/') + 1),
    start: 'either',
    defaultBranch: null,
    again: false,
  };
}

export function resultOf<T = Record<string, unknown>>(state: GitOperation): T {
  assert.equal(state.state, 'done', JSON.stringify(state));
  return (state as { result: T }).result;
}

export function failureOf(state: GitOperation): { code: string; detail: string } {
  assert.equal(state.state, 'failed', JSON.stringify(state));
  const { code, detail = '' } = state as { code: string; detail?: string };
  return { code, detail };
}
