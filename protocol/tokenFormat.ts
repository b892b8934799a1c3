/**
 * `spn_<kind>_<id: 12 base62>_<secret: 43 base62>_<crc32: 6 base62>` (`security.md` section 4). The checksum lets scanners
 * and clients recognise a token, and refuses garbage before the store is asked.
 */

export const tokenKinds = { user: 'u', admin: 'a', ticket: 't', worker: 'w', invite: 'i' } as const;
const tokenPattern = /^spn_([uatwi])_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const encoder = new TextEncoder();

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 of IEEE 802.3. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function base62(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 62)) text = alphabet[rest % 62] + text;
  return text;
}

/** Uniform base62 text from random bytes, by rejection. @param randomBytes a cryptographic source */
export function randomBase62(length: number, randomBytes: (count: number) => Uint8Array): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += alphabet[byte % 62];
    }
  }
  return text;
}

export interface TokenParts {
  readonly kind: 'u' | 'a' | 't' | 'w' | 'i';
  readonly id: string;
  readonly secret: string;
}

export function formatToken({ kind, id, secret }: TokenParts): string {
  const body = `spn_${kind}_${id}_${secret}`;
  return `${body}_${base62(crc32(encoder.encode(body)), 6)}`;
}

/** `undefined` for anything that is not a whole, unharmed token. */
export function parseToken(text: string): TokenParts | undefined {
  const match = tokenPattern.exec(text);
  if (match === null) return undefined;
  const [, kind, id, secret] = match as unknown as [string, TokenParts['kind'], string, string];
  return formatToken({ kind, id, secret }) === text ? { kind, id, secret } : undefined;
}
