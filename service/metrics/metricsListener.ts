import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpoonError } from '../../protocol/errors.ts';
import { routes } from '../../protocol/routes.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsListener extends AsyncDisposable {
  readonly url: string;
}

const maxConnections = 32;
const requestMs = 10_000;

/**
 * The same figures for a collector without a token, at an address that is not the service's: nothing else answers there.
 * @throws SpoonError `listen-failed`
 */
export async function listenForMetrics(
  metrics: Metrics,
  { host, port }: { host: string; port: number },
  onError: (error: unknown) => void,
): Promise<MetricsListener> {
  const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, (request, response) => {
    request.resume();
    if (request.url?.split('?')[0] !== routes.adminMetrics.path) end(response, 404);
    else if (request.method !== 'GET' && request.method !== 'HEAD') end(response, 405);
    else
      metrics.render().then(
        (text) => {
          response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' });
          response.end(request.method === 'HEAD' ? '' : text);
        },
        (error: unknown) => {
          onError(error);
          end(response, 500);
        },
      );
  });
  server.maxConnections = maxConnections;
  try {
    await once(server.listen(port, host), 'listening');
  } catch (cause) {
    throw new SpoonError(
      'listen-failed',
      `Nothing can listen at ${host}:${port}. Set SPOON_METRICS_LISTEN to another.`,
      {
        cause,
      },
    );
  }
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}${routes.adminMetrics.path}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 }).end();
}
