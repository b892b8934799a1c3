import { type ErrorCode, SpoonError } from './errors.ts';
import { maxRepositoryUrlBytes } from './limits.ts';

const encoder = new TextEncoder();
// biome-ignore lint/suspicious/noControlCharactersInRegex: what neither a header nor git's credential protocol may hold
const forbiddenCharacters = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\\]/;
const encodedControl = /%(?:[01][0-9a-f]|7f)/i;
/** Names that resolve to something near the machine that asks (RFC 6761, 6762, 8375, and the clouds' own). */
const nearNames = /(?:^|\.)(?:localhost|local|internal|home\.arpa|intranet|lan|corp)$/;

/** `[first, prefix length]`: not on the internet (IANA special-purpose registry, RFC 6890). */
const nearNetworks: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
];

/**
 * The address of a repository as git gets it (`security.md` section 3, rows 77 to 81): https, a public host, port 443, no
 * credential. What only the network can know, such as a name that resolves to a private address, is the network's to refuse.
 * @param allowedHosts the operator's `host` (port 443) and `host:port`, lower case: near ones too, and other ports
 * @returns the address in its normal form
 * @throws SpoonError `url-invalid`, `url-scheme`, `url-credentials`, `url-host`, `url-port`; none quotes the address
 */
export function checkRepositoryUrl(text: string, allowedHosts: readonly string[] = []): string {
  if (text === '') throw refusal('url-invalid', 'It is empty.');
  if (text.startsWith('-')) throw refusal('url-invalid', 'It starts with a dash.');
  if (!/^https:\/\//i.test(text)) throw refusal('url-scheme', 'Give it as https://host/path.');
  if (!text.isWellFormed() || forbiddenCharacters.test(text)) {
    throw refusal('url-invalid', 'It holds a blank, a backslash or a character that cannot be shown.');
  }
  if (encoder.encode(text).length > maxRepositoryUrlBytes) {
    throw refusal('url-invalid', `It is longer than ${maxRepositoryUrlBytes} bytes.`);
  }
  if (!URL.canParse(text)) throw refusal('url-invalid', 'It is not a well-formed address.');
  const url = new URL(text);
  // Also the empty ones of `https://@host`: the next program to read it may see something else.
  if (/^https:\/\/[^/?#]*@/i.test(text)) throw refusal('url-credentials', 'Leave out what stands before the @.');
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    throw refusal('url-invalid', 'Leave out ? and # and what follows.');
  }
  if (url.pathname === '/' || encodedControl.test(url.pathname)) {
    throw refusal('url-invalid', 'It does not name a repository.');
  }
  checkHost(url, allowedHosts);
  return url.href.replace(/\/+$/, '');
}

function checkHost({ hostname, port }: URL, allowedHosts: readonly string[]): void {
  const host = hostname.replace(/\.$/, '');
  if (allowedHosts.includes(port === '' ? host : `${host}:${port}`)) return;
  if (isNear(host)) {
    throw refusal('url-host', 'It is not on the public internet. The operator can allow it with SPOON_GIT_HOSTS.');
  }
  if (port !== '') {
    throw refusal('url-port', 'Only 443. The operator can allow others with SPOON_GIT_HOSTS.');
  }
}

/** As the WHATWG parser leaves a host: `2852039166`, `0xA9FEA9FE` and `0177.1` are dotted by then. */
export function isNear(host: string): boolean {
  if (host.startsWith('[')) return isNearV6(host.slice(1, -1));
  if (/^\d+(?:\.\d+){3}$/.test(host)) return isNearV4(numberOf(host));
  return !host.includes('.') || nearNames.test(host);
}

function numberOf(dotted: string): number {
  return dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isNearV4(address: number): boolean {
  return nearNetworks.some(([first, prefix]) => {
    const size = 2 ** (32 - prefix);
    return Math.floor(address / size) === Math.floor(numberOf(first) / size);
  });
}

/** Global unicast (2000::/3) without documentation, Teredo and 6to4; an address with an IPv4 one inside goes by that. */
function isNearV6(text: string): boolean {
  const words = wordsOf(text);
  const [first = 0, second = 0] = words;
  const inner = (words[6] ?? 0) * 65_536 + (words[7] ?? 0);
  const isMapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff;
  const isTranslated = first === 0x64 && second === 0xff9b && words.slice(2, 6).every((word) => word === 0);
  if (isMapped || isTranslated) return isNearV4(inner);
  if (first < 0x2000 || first > 0x3fff) return true;
  return first === 0x2002 || (first === 0x2001 && (second === 0xdb8 || second < 0x200)) || first === 0x3fff;
}

function wordsOf(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const parse = (part: string) =>
    part
      .split(':')
      .filter(Boolean)
      .map((word) => Number.parseInt(word, 16));
  const before = parse(head);
  const after = parse(tail ?? '');
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function refusal(code: ErrorCode, why: string): SpoonError {
  return new SpoonError(code, why);
}
