import { setTimeout as delay } from 'node:timers/promises';

/** Looks again until it holds, for what no event tells: another process's table. @throws Error after 60 s */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`never: ${what}`);
    await delay(20);
  }
}
