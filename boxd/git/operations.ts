import { setTimeout as delay } from 'node:timers/promises';
import type { GitOperation } from '../../protocol/boxdGit.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { CheckoutProgress } from '../../protocol/threads.ts';

/** Kept after its end for a service that was away. */
const keptMs = 60_000;
const waitMs = 2_000;
const maxOperations = 32;

export interface OperationContext {
  readonly signal: AbortSignal;
  onProgress(progress: CheckoutProgress): void;
}

interface Operation {
  state: GitOperation;
  changed: PromiseWithResolvers<void>;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/**
 * What takes longer than a request: begun by one, asked for by others until it has ended, cancelled by one. It goes on
 * while the service is away.
 */
export class Operations {
  readonly #operations = new Map<string, Operation>();
  readonly #forgetting = new Set<NodeJS.Timeout>();

  /** Still at work; they hold the box like commands. */
  get runningCount(): number {
    return [...this.#operations.values()].filter(({ state }) => state.state === 'running').length;
  }

  /** Resolves soon: with the end of what is quick, else with what is under way. */
  async start(id: string, work: (context: OperationContext) => Promise<unknown>): Promise<GitOperation> {
    if (this.#operations.has(id)) throw new SpoonError('request-invalid', 'There is an operation of this id.');
    if (this.runningCount >= maxOperations) throw new SpoonError('checkout-busy', 'Too much is under way.');
    const abort = new AbortController();
    const progress = { phase: 'connecting', percent: null, receivedBytes: null } as const;
    const started: Omit<Operation, 'done'> = {
      state: { state: 'running', step: 0, progress },
      changed: Promise.withResolvers<void>(),
      abort,
    };
    const operation: Operation = Object.assign(started, { done: this.#run(started, work) });
    this.#operations.set(id, operation);
    operation.done.finally(() => this.#forgetLater(id));
    await Promise.race([operation.done, delay(100)]);
    return operation.state;
  }

  /** Waits a little for something newer than `step`. @throws SpoonError `not-found` */
  async get(id: string, step: number): Promise<GitOperation> {
    const operation = this.#find(id);
    if (operation.state.step <= step && operation.state.state === 'running') {
      await Promise.race([operation.changed.promise, delay(waitMs)]);
    }
    return operation.state;
  }

  /** Resolves once nothing of it runs any more. @throws SpoonError `not-found` */
  async cancel(id: string): Promise<void> {
    const operation = this.#find(id);
    operation.abort.abort(new SpoonError('git-failed', 'It was cancelled.'));
    await operation.done;
  }

  async close(): Promise<void> {
    for (const timer of this.#forgetting) clearTimeout(timer);
    await Promise.all([...this.#operations.keys()].map((id) => this.cancel(id)));
  }

  async #run(operation: Omit<Operation, 'done'>, work: (context: OperationContext) => Promise<unknown>): Promise<void> {
    const become = (state: GitOperation) => {
      operation.state = state;
      operation.changed.resolve();
      operation.changed = Promise.withResolvers<void>();
    };
    const next = () => operation.state.step + 1;
    try {
      const result = await work({
        signal: operation.abort.signal,
        onProgress: (progress) => {
          const { state } = operation;
          if (state.state !== 'running' || isSame(state.progress, progress)) return;
          become({ state: 'running', step: next(), progress });
        },
      });
      become({ state: 'done', step: next(), result });
    } catch (error) {
      if (!(error instanceof SpoonError)) process.stderr.write(`boxd: git: ${(error as Error).stack}\n`);
      const { code, detail, extra } = error instanceof SpoonError ? error : new SpoonError('internal-error');
      become({ state: 'failed', step: next(), code, extra, ...(detail === undefined ? {} : { detail }) });
    }
  }

  #find(id: string): Operation {
    const operation = this.#operations.get(id);
    if (operation === undefined) throw new SpoonError('not-found', 'There is no such operation.');
    return operation;
  }

  #forgetLater(id: string): void {
    const timer = setTimeout(() => {
      this.#forgetting.delete(timer);
      this.#operations.delete(id);
    }, keptMs);
    timer.unref();
    this.#forgetting.add(timer);
  }
}

function isSame(a: CheckoutProgress, b: CheckoutProgress): boolean {
  return a.phase === b.phase && a.percent === b.percent && a.receivedBytes === b.receivedBytes;
}
