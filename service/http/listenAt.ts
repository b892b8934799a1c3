import type { AddressInfo } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';

/** @returns the address as a URL @throws SpoonError `listen-failed` */
export async function listenAt(app: FastifyInstance, { host, port }: { host: string; port: number }): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const why =
      code === 'EADDRINUSE'
        ? `Port ${port} is taken. Stop what uses it`
        : code === 'EACCES'
          ? `Port ${port} needs more rights than the service has. Use one above 1023`
          : `${host} is not an address of this machine. Use 127.0.0.1`;
    throw new SpoonError('listen-failed', `${why}, or set SPOON_LISTEN.`, { cause });
  }
  return urlOf(app);
}

/** Of one that listens. */
export function urlOf(app: FastifyInstance): string {
  const address = app.server.address() as AddressInfo;
  const scheme = (app.server as unknown) instanceof TlsServer ? 'https' : 'http';
  return `${scheme}://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
