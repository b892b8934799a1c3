/** RFC 7636 with what every extension host has (Web Crypto), not only Node's. */

const randomBytes = 32;

/** 256 random bits as base64url, which is also a valid code verifier. */
export function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(randomBytes)));
}

/** The S256 challenge of a verifier. */
export async function challengeOf(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
