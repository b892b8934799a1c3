import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { SpoonError } from '../../protocol/errors.ts';
import { maxHeaderCount, maxUrlBytes } from '../../protocol/limits.ts';

/** Who may talk to the service at all: the part of the settings that the checks below need. */
export interface AccessRules {
  readonly hosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
}

/** The same for a request and for an upgrade, before any token is read. @throws SpoonError */
export function checkRequest(request: IncomingMessage, rules: AccessRules): void {
  if (request.rawHeaders.length / 2 > maxHeaderCount) throw new SpoonError('headers-too-large');
  const url = request.url ?? '';
  if (Buffer.byteLength(url) > maxUrlBytes) throw new SpoonError('url-too-long');
  checkHost(request, rules.hosts);
  // Row 61: no cookies ride along, but a page of another origin has no business here either way.
  const { origin } = request.headers;
  // The host has been checked above: under its own names the service has nothing but its own pages.
  const isOwn =
    origin !== undefined && URL.canParse(origin) && new URL(origin).host === request.headers.host?.toLowerCase();
  if (origin !== undefined && !isOwn && !rules.origins.has(origin)) throw new SpoonError('origin-not-allowed');
  checkCredentials(url, request.headers.cookie);
  if (request.headers['content-encoding'] !== undefined) throw new SpoonError('content-encoding-unsupported');
}

/**
 * Against DNS rebinding: a page's own host name that suddenly means 127.0.0.1 is not answered. An address as a host cannot
 * be rebound, so the one that the connection came in on is fine.
 */
function checkHost(request: IncomingMessage, allowed: ReadonlySet<string>): void {
  const hosts = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  const given = request.headers.host;
  if (given === undefined || hosts.length !== 1) throw new SpoonError('http-invalid', 'Exactly one Host is needed.');
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/.exec(given.toLowerCase());
  const name = (match?.[1] ?? match?.[2] ?? '').replace(/\.$/, '');
  const local = request.socket.localAddress?.replace(/^::ffff:/, '');
  if (name === '' || !(allowed.has(name) || (isIP(name) !== 0 && name === local))) {
    throw new SpoonError('host-not-allowed', 'Its operator can allow the name with SPOON_ALLOWED_HOSTS.');
  }
}

const credentialParameters = new Set(
  (
    'token access_token id_token refresh_token auth_token authtoken ticket auth authorization bearer ' +
    'api_key apikey password passwd secret client_secret credential credentials session jwt'
  ).split(' '),
);
const tokenLike = /spn_[a-z]_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}/;

/** A URL is kept by proxies, shells and logs, a cookie is sent by pages: neither is a place for a credential. */
function checkCredentials(url: string, cookie: string | undefined): void {
  const query = parseQuery(queryOf(url));
  if (query === undefined) throw new SpoonError('invalid-encoding');
  const names = Object.keys(query);
  if (
    names.some((name) => credentialParameters.has(name.toLowerCase())) ||
    tokenLike.test(safeDecode(url) ?? url) ||
    tokenLike.test(url)
  ) {
    throw new SpoonError('credential-in-url', 'Send tokens in the Authorization header.');
  }
  if (cookie !== undefined && tokenLike.test(safeDecode(cookie) ?? cookie)) {
    throw new SpoonError('credential-in-url', 'It was in a cookie. Send tokens in the Authorization header.');
  }
}

export function queryOf(url: string): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start + 1);
}

/** `undefined` where the encoding is broken: guessing would let two readers see two paths. Repeated names become arrays. */
export function parseQuery(text: string): Record<string, string | string[]> | undefined {
  const query: Record<string, string | string[]> = Object.create(null);
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const [rawName = '', ...rest] = pair.split('=');
    const name = safeDecode(rawName.replaceAll('+', ' '));
    const value = safeDecode(rest.join('=').replaceAll('+', ' '));
    if (name === undefined || value === undefined) return undefined;
    const earlier = query[name];
    if (earlier === undefined) query[name] = value;
    else query[name] = [...(Array.isArray(earlier) ? earlier : [earlier]), value];
  }
  return query;
}

function safeDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // decodeURIComponent refuses broken and overlong UTF-8; the caller says so to the client.
    return undefined;
  }
}
