import { request } from 'node:http';
import { Readable } from 'node:stream';
import type { Fetch } from '../client/apiClient.ts';

/** Statuses that `Response` does not take a body for. */
const bodiless = new Set([204, 205, 304]);

/** `fetch` over a unix socket: the same API on the service's admin socket. Redirects are never followed. */
export function unixFetch(socketPath: string): Fetch {
  return async (url, init) => {
    const { pathname, search, host } = new URL(url);
    return await new Promise<Response>((resolve, reject) => {
      const outgoing = request({
        socketPath,
        path: `${pathname}${search}`,
        method: init.method ?? 'GET',
        // Of a DELETE, Node frames the body only when it is told the length.
        headers: { ...(init.headers as Record<string, string>), host, ...lengthOf(init.body) },
        ...(init.signal ? { signal: init.signal } : {}),
      });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        const headers = new Headers();
        for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
        const status = incoming.statusCode ?? 500;
        if (bodiless.has(status)) incoming.resume();
        const body = bodiless.has(status) ? null : Readable.toWeb(incoming);
        resolve(new Response(body as ConstructorParameters<typeof Response>[0], { status, headers }));
      });
      outgoing.end(init.body);
    });
  };
}

function lengthOf(body: RequestInit['body']): Record<string, number> {
  return typeof body === 'string' || body instanceof Uint8Array ? { 'content-length': Buffer.byteLength(body) } : {};
}
