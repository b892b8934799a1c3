/**
 * The address where people reach the service, for links: `https://spoon.example.org`, or with a path below it.
 * @returns without a slash at the end; undefined for what is no such address
 */
export function readPublicUrl(given: string): string | undefined {
  if (!URL.canParse(given)) return undefined;
  const { protocol, username, password, search, hash, href } = new URL(given);
  const isPlain = username === '' && password === '' && search === '' && hash === '';
  return isPlain && /^https?:$/.test(protocol) ? href.replace(/\/+$/, '') : undefined;
}
