import type { RequestListener, Server } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { headersTimeoutMs, maxHeaderBytes, requestTimeoutMs } from '../../protocol/limits.ts';
import type { Certificate } from './certificate.ts';

export const httpOptions = {
  maxHeaderSize: maxHeaderBytes,
  headersTimeout: headersTimeoutMs,
  // How late a timeout may strike; Node's 30 s would treble the 10 s for headers.
  connectionsCheckingInterval: 1000,
  // Checked in requestChecks.ts, with a problem document instead of an empty 400.
  requireHostHeader: false,
  // Only WebSockets are upgraded; what else names an upgrade (h2c) is an ordinary request (RFC 9110 section 7.8).
  shouldUpgradeCallback: ({ headers }: { headers: { upgrade?: string | undefined } }) =>
    headers.upgrade?.toLowerCase() === 'websocket',
} as const;

/** What the app listens with: HTTP, or HTTPS with a certificate that may change while it runs. */
export function createAppServer(handler: RequestListener, certificate: Certificate | undefined): Server {
  const timeouts = { requestTimeout: requestTimeoutMs, keepAliveTimeout: requestTimeoutMs };
  if (certificate === undefined) return createHttpServer({ ...httpOptions, ...timeouts }, handler);
  const tls = { ...certificate.pair, handshakeTimeout: headersTimeoutMs };
  const server = createHttpsServer({ ...httpOptions, ...timeouts, ...tls }, handler);
  certificate.follow((pair) => server.setSecureContext(pair));
  // The same events and methods; what it has beyond those of HTTP is used nowhere else.
  return server as unknown as Server;
}
