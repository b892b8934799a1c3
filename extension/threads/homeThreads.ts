import * as vscode from 'vscode';
import type { ApiClient } from '../../client/apiClient.ts';
import type { Box } from '../../protocol/boxes.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { Terminal } from '../../protocol/terminals.ts';
import type { CheckoutProgress, Spoon, Thread } from '../../protocol/threads.ts';

export interface ThreadProgress {
  readonly spoon: string;
  readonly branch: string;
  readonly progress: CheckoutProgress;
}

/** Several events of one act, such as a new thread, are one look. */
const settleMs = 100;

/** Spoons, threads and running terminals of one account as this window knows them: what the service said last. */
export class HomeThreads implements vscode.Disposable {
  readonly #api: ApiClient;
  /** What holds it changes with the terminals, without an event. */
  readonly #onBox: (box: Box) => void;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #progress = new vscode.EventEmitter<ThreadProgress>();
  #spoons: readonly Spoon[] = [];
  #threads: readonly Thread[] = [];
  #terminals: readonly Terminal[] = [];
  #isListed = false;
  #refreshing: Promise<void> | undefined;
  #isStale = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly onDidChange = this.#changed.event;
  /** Of a thread that is being made, by any window. */
  readonly onDidProgress = this.#progress.event;

  constructor({ api, onBox }: { api: ApiClient; onBox: (box: Box) => void }) {
    this.#api = api;
    this.#onBox = onBox;
  }

  get isListed(): boolean {
    return this.#isListed;
  }

  get spoons(): readonly Spoon[] {
    return this.#spoons;
  }

  /** The last used first. */
  get threads(): readonly Thread[] {
    return this.#threads;
  }

  get terminals(): readonly Terminal[] {
    return this.#terminals;
  }

  /** Those that were opened in a thread, or are in its folder now. */
  terminalsOf(thread: Thread): Terminal[] {
    return this.#terminals.filter((terminal) => isIn(terminal, thread));
  }

  /** In the home, or in a folder that is no thread. */
  otherTerminals(): Terminal[] {
    return this.#terminals.filter((terminal) => !this.#threads.some((thread) => isIn(terminal, thread)));
  }

  threadNamed(name: string): Thread | undefined {
    return this.#threads.find((thread) => threadName(thread) === name);
  }

  /** The thread that a path of the home lies in; of nested ones the innermost. */
  threadAt(path: string): Thread | undefined {
    const holding = this.#threads.filter(({ folder }) => path === folder || path.startsWith(`${folder}/`));
    return holding.sort((one, other) => other.folder.length - one.folder.length)[0];
  }

  /** Asks for everything; while that is under way, once more after it. @throws SpoonError */
  async refresh(): Promise<void> {
    if (this.#refreshing !== undefined) {
      this.#isStale = true;
      return await this.#refreshing;
    }
    this.#refreshing = this.#list().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  receive(event: SpoonEvent): void {
    if (event.type === 'thread.progress') this.#progress.fire(event);
    else if (event.type === 'threads.changed' || event.type === 'box.changed') this.refreshSoon();
  }

  /** For who need not know whether it could be asked; a failure is the connection's to show. */
  refreshSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.refresh().catch(() => undefined);
    }, settleMs);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#changed.dispose();
    this.#progress.dispose();
  }

  async #list(): Promise<void> {
    do {
      this.#isStale = false;
      const [box, { spoons }, { threads }, { terminals }] = await Promise.all([
        this.#api.call('box'),
        this.#api.call('listSpoons'),
        this.#api.call('listThreads', { query: { status: true } }),
        this.#api.call('listTerminals'),
      ]);
      this.#spoons = spoons;
      this.#threads = threads;
      this.#terminals = terminals;
      this.#isListed = true;
      this.#onBox(box);
      this.#changed.fire();
    } while (this.#isStale);
  }
}

/** `{spoon}/{branch}` */
export function threadName({ spoon, branch }: { spoon: string; branch: string }): string {
  return `${spoon}/${branch}`;
}

function isIn({ thread: openedIn, cwd }: Terminal, thread: Thread): boolean {
  if (openedIn !== undefined) return openedIn === threadName(thread);
  return cwd.endsWith(`/${thread.folder}`) || cwd.includes(`/${thread.folder}/`);
}
