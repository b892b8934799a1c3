import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** A folder for one engine's data that nobody else uses meanwhile. */
export interface EngineSlot {
  readonly folder: string;
  readonly number: number;
  release(): Promise<void>;
}

/**
 * The first free of `slot-1`, `slot-2`…: runs beside each other get data of their own, a run after another gets the same,
 * images and all. The lock is a listening abstract socket (unix(7)): taken atomically, and let go by the kernel however
 * its process ends, so that there is no stale one.
 */
export async function takeEngineSlot(parent: string): Promise<EngineSlot> {
  for (let number = 1; ; number++) {
    const folder = join(parent, `slot-${number}`);
    const lock = await tryListen(
      `\0spoon-test-engine-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`,
    );
    if (lock === undefined) continue;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return { folder, number, release: () => new Promise((resolve) => lock.close(() => resolve())) };
  }
}

async function tryListen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ path }, () => resolve(server.unref()));
  });
}
