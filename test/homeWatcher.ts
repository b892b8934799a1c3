import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { RunningService, TestUser } from './runningService.ts';

/** Milliseconds since 1970 with fractions, the same in every process of a machine and in a page of its browser. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

const program = `require('fs').watch(process.env.HOME,(_,name)=>console.log(performance.timeOrigin+performance.now(),name));
console.log(0,'ready')`;

/** A program in the box that is told by the kernel of each change in the home, and says when. */
export class HomeWatcher {
  readonly #waiting = new Map<string, (atMs: number) => void>();
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(service: RunningService, user: TestUser): Promise<HomeWatcher> {
    const child = spawn(process.execPath, ['cli/spoonctl.mjs', 'exec', '--', 'node', '-e', program], {
      env: { ...process.env, SPOON_URL: service.url, SPOON_TOKEN: user.token },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const watcher = new HomeWatcher(child);
    const ready = watcher.next('ready');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const space = line.indexOf(' ');
      const name = line.slice(space + 1);
      watcher.#waiting.get(name)?.(Number(line.slice(0, space)));
      watcher.#waiting.delete(name);
    });
    await ready;
    return watcher;
  }

  /** When the file of that name in the home changes next, ms since 1970. */
  next(name: string): Promise<number> {
    return new Promise((resolve) => this.#waiting.set(name, resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
  }
}
