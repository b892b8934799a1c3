import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { labels } from './containerSpec.ts';
import { statusOf } from './dockerErrors.ts';
import type { BoxEnd, BoxWatcher } from './engine.ts';

const firstRetryMs = 100;
const maxRetryMs = 2_000;
/** Docker tells of a lack of memory and of the end it caused in no fixed order. */
const memoryNoticeMs = 300;
const memoryKillIsRecentMs = 5_000;
const killedBySignal = 137;
const maxLineLength = 1024 * 1024;

interface ContainerEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/**
 * Follows `docker events` for the boxes that the engine knows, over restarts of Docker. Inspect cannot replace it: it says
 * `OOMKilled: false` for a box whose programs were ended for lack of memory (`security.md` 0.5).
 */
export class DockerWatch {
  readonly #docker: Docker;
  readonly #instance: string;
  readonly #clear: (username: string) => Promise<void>;
  readonly #running = new Map<string, string>();
  readonly #ending = new Set<string>();
  readonly #memoryKills = new Map<string, number>();
  readonly #watchers = new Set<BoxWatcher>();
  #following: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  /** @param clear removes what an ended box left behind */
  constructor(docker: Docker, instance: string, clear: (username: string) => Promise<void>) {
    this.#docker = docker;
    this.#instance = instance;
    this.#clear = clear;
  }

  know(containerId: string, username: string): void {
    this.#running.set(containerId, username);
  }

  /** Its end is no news any more. @returns whether it would have been */
  forget(containerId: string): boolean {
    this.#memoryKills.delete(containerId);
    return this.#running.delete(containerId);
  }

  add(watcher: BoxWatcher): () => void {
    this.#watchers.add(watcher);
    if (this.#following === undefined) {
      const stop = new AbortController();
      this.#following = { stop, ended: this.#follow(stop.signal) };
    }
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) void this.close();
    };
  }

  async close(): Promise<void> {
    const following = this.#following;
    this.#following = undefined;
    this.#watchers.clear();
    following?.stop.abort();
    await following?.ended;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      try {
        const events = await this.#open(signal);
        // What ended before the stream began, or while Docker was away.
        await this.#compare(signal);
        retryMs = firstRetryMs;
        for await (const line of linesOf(events)) this.#take(JSON.parse(line));
      } catch {
        // Docker is away, or was; whoever asks it for something is told. Here it is waited for.
      }
      if (signal.aborted) return;
      await delay(retryMs, undefined, { signal, ref: false }).catch(() => undefined);
      retryMs = Math.min(retryMs * 2, maxRetryMs);
    }
  }

  async #open(abortSignal: AbortSignal): Promise<Readable> {
    const filters = {
      type: ['container'],
      event: ['die', 'oom', 'destroy'],
      label: [`${labels.instance}=${this.#instance}`],
    };
    return (await this.#docker.getEvents({ filters: JSON.stringify(filters), abortSignal })) as Readable;
  }

  async #compare(abortSignal: AbortSignal): Promise<void> {
    const filters = { label: [`${labels.instance}=${this.#instance}`] };
    // Whatever comes while the list is on its way is not in it.
    const known = [...this.#running.keys()];
    const listed = await this.#docker.listContainers({ filters, abortSignal });
    const runs = new Set(listed.map(({ Id }) => Id));
    for (const id of known) {
      if (!runs.has(id) && !(await this.#mayStillRun(id))) void this.#end(id, null, 'engine-gone');
    }
  }

  /** Known boxes are made first and started then; the list has only those that were running when it was written. */
  async #mayStillRun(id: string): Promise<boolean> {
    try {
      const { State } = await this.#docker.getContainer(id).inspect();
      return State.Running || State.Status === 'created';
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  #take({ Action, Actor }: ContainerEvent): void {
    const username = this.#running.get(Actor.ID);
    if (username === undefined) return;
    if (Action === 'oom') {
      this.#memoryKills.set(Actor.ID, performance.now());
      for (const watcher of this.#watchers) watcher.onMemoryKill(username);
    } else if (Action === 'die') {
      const code = Number.parseInt(Actor.Attributes.exitCode ?? '', 10);
      void this.#end(Actor.ID, Number.isNaN(code) ? null : code, 'exited');
    } else {
      void this.#end(Actor.ID, null, 'removed');
    }
  }

  async #end(id: string, exitCode: number | null, otherwise: BoxEnd['reason']): Promise<void> {
    const username = this.#running.get(id);
    if (username === undefined || this.#ending.has(id)) return;
    this.#ending.add(id);
    if (exitCode === killedBySignal) await delay(memoryNoticeMs);
    const memoryKill = this.#memoryKills.get(id);
    const lackedMemory = memoryKill !== undefined && performance.now() - memoryKill < memoryKillIsRecentMs;
    const reason = lackedMemory ? 'out-of-memory' : (await this.#isGone(id)) ? 'removed' : otherwise;
    this.#ending.delete(id);
    // Not when somebody stopped it meanwhile.
    if (!this.forget(id)) return;
    for (const watcher of this.#watchers) watcher.onEnd({ username, engineId: id, reason, exitCode });
    // The next start removes what stays behind when Docker is away now.
    await this.#clear(username).catch(() => undefined);
  }

  /** Whether it was removed, or is being removed, by somebody else. */
  async #isGone(id: string): Promise<boolean> {
    try {
      const { State } = await this.#docker.getContainer(id).inspect();
      return State.Status === 'removing' || State.Dead;
    } catch (error) {
      return statusOf(error) === 404;
    }
  }
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineLength) throw new Error("an event of Docker's has no end");
    yield* lines.filter((line) => line !== '');
  }
}
