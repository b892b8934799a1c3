import { SpoonError } from '../protocol/errors.ts';

/**
 * The address of a service as a person gives it, made canonical: no trailing slash, `https` unless it is on this machine.
 * A token travels in a header, so plain HTTP is taken for loopback only (security.md section 4, TLS).
 * @throws SpoonError `service-url-invalid`
 */
export function parseServiceUrl(typed: string): string {
  const text = typed.trim();
  const refuse = (why: string): never => {
    throw new SpoonError('service-url-invalid', why);
  };
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? text
    : `${isLoopback(hostOf(text)) ? 'http' : 'https'}://${text}`;
  if (!URL.canParse(withScheme)) return refuse('Give it as https://host or https://host:port.');
  const url = new URL(withScheme);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse('It must start with https://.');
  if (url.username !== '' || url.password !== '')
    return refuse('Leave name and password out of it; sign in with a token.');
  if (url.search !== '' || url.hash !== '') return refuse('Leave out everything from ? or # on.');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return refuse(`Plain HTTP would show the token to everyone on the way to ${url.hostname}. Use https://.`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** `localhost` and below (RFC 6761), 127.0.0.0/8 and ::1; `host` as `URL.hostname` has it, so already in plain form. */
export function isLoopback(host: string): boolean {
  return /^(.+\.)?localhost$/.test(host) || /^127(\.\d{1,3}){3}$/.test(host) || host === '[::1]';
}

function hostOf(text: string): string {
  return URL.canParse(`http://${text}`) ? new URL(`http://${text}`).hostname : '';
}
