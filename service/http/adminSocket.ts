import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import { createOperatorServer } from './server.ts';

export interface AdminSocketSettings {
  /** In a folder that only the service's own uid may enter; that folder, and nothing else, is the door. */
  readonly path: string;
  /** What it accepts is the operator (`authenticate.ts`). */
  readonly operatorSockets: WeakSet<Socket>;
}

/** unix(7): sun_path has 108 bytes with its NUL. */
const maxSocketPathBytes = 107;

/**
 * The operator's way in, without a token (docs/decisions): who can open the socket could read the keys and the database too.
 * The same app answers; it never gives the operator contents.
 * @throws SpoonError `listen-failed`
 */
export async function openAdminSocket(
  app: FastifyInstance,
  { path, operatorSockets }: AdminSocketSettings,
): Promise<AsyncDisposable> {
  const server = createOperatorServer(app, operatorSockets);
  // bind(2) makes the socket's mode from the umask; nothing else of the process runs between these lines.
  const before = process.umask(0o177);
  try {
    server.listen({ path });
  } catch (cause) {
    throw refusal(path, cause);
  } finally {
    process.umask(before);
  }
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw refusal(path, cause);
  }
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

function refusal(path: string, cause: unknown): SpoonError {
  const why = Buffer.byteLength(path) > maxSocketPathBytes ? 'its path is too long' : 'its folder refuses it';
  return new SpoonError('listen-failed', `No admin socket at ${path}: ${why}. Set another SPOON_AGENT_WORKDIR.`, {
    cause,
  });
}
