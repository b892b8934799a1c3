import { type IncomingHttpHeaders, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import type { Fetch } from '../../client/apiClient.ts';

/** `fetch` that also trusts the given authorities; nothing else about checking certificates changes. No redirects. */
export function fetchTrusting(caPem: string): Fetch {
  const agent = new Agent({ ca: [...rootCertificates, caPem], keepAlive: true });
  return async (url, init) => {
    const secure = url.startsWith('https:');
    const options: RequestOptions = {
      method: init.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(init.signal ? { signal: init.signal } : {}),
      ...(secure ? { agent } : {}),
    };
    return await new Promise<Response>((resolve, reject) => {
      const request = (secure ? requestHttps : requestHttp)(url, options, (answer) => {
        const status = answer.statusCode ?? 502;
        const headers = plainHeaders(answer.headers);
        // A Response of these statuses may have no body (Fetch standard, "null body status").
        const body = [204, 205, 304].includes(status) ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
        if (body === null) answer.resume();
        resolve(new Response(body, { status, headers }));
      });
      request.once('error', reject);
      request.end(init.body as string | Uint8Array | undefined);
    });
  };
}

function plainHeaders(headers: IncomingHttpHeaders): Headers {
  const plain = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value ?? []].flat()) plain.append(name, one);
  }
  return plain;
}
