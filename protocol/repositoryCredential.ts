import { type Static, Type } from 'typebox';
import { errorTable, SpoonError } from './errors.ts';
import type { SealedUse } from './sealedBox.ts';
import { isSshAddress } from './sshAddress.ts';

const closed = { additionalProperties: false } as const;

const CredentialKind = Type.Union([Type.Literal('token'), Type.Literal('key')]);
export type CredentialKind = Static<typeof CredentialKind>;

/** What is told of the token or deploy key of a private repository. There is no field for the value, here or anywhere. */
export const RepositoryCredential = Type.Object({
  kind: CredentialKind,
  /** The only one that it is shown to; with its port where that is an unusual one. */
  host: Type.String(),
  /** Of a token. */
  username: Type.String(),
  /** Of a deploy key: the server's own keys, `type base64`; empty: those that Spoon knows of the large hosts. */
  hostKeys: Type.Array(Type.String()),
  updatedMs: Type.Integer(),
});
export type RepositoryCredential = Static<typeof RepositoryCredential>;

export const SetRepositoryCredentialRequest = Type.Object(
  {
    kind: CredentialKind,
    host: Type.String({ minLength: 1, maxLength: 200, pattern: '^[a-z0-9.:\\[\\]-]+$' }),
    /** The value, sealed for `credentialUse(kind, host)`, in base64. */
    sealed: Type.String({ maxLength: 100_000, pattern: '^[A-Za-z0-9+/]+={0,2}$' }),
    username: Type.Optional(Type.String({ maxLength: 255 })),
    hostKeys: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 16 })),
  },
  closed,
);
export type SetRepositoryCredentialRequest = Static<typeof SetRepositoryCredentialRequest>;

/** Hosts take any name beside a token, except those that take only the right one. */
export const defaultUsername = 'git';

/** What a credential is sealed for. The host is in it: nobody on the way can hand it in for another. */
export function credentialUse(kind: CredentialKind, host: string): SealedUse {
  return `repository/${kind}/${host}`;
}

/** The host that an address leads to, as a credential names it. @param url in its normal form */
export function credentialHost(url: string): string {
  return new URL(url).host;
}

export function kindFor(url: string): CredentialKind {
  return isSshAddress(url) ? 'key' : 'token';
}

/** What git's credential protocol and a header can carry. @throws SpoonError `credential-invalid`, which quotes nothing */
export function checkToken(text: string): string {
  if (!/^[\x21-\x7e]{1,4096}$/.test(text)) {
    throw new SpoonError('credential-invalid', 'A token is 1 to 4096 letters, digits and signs, without blanks.');
  }
  return text;
}

/** @throws SpoonError `credential-invalid` */
export function checkCredentialUsername(text: string): string {
  if (/^[\x21-\x39\x3b-\x7e]{1,255}$/.test(text)) return text;
  throw new SpoonError('credential-invalid', 'The name beside a token has 1 to 255 letters, digits and signs.');
}

/**
 * A private key as OpenSSH takes it, its lines ended as it wants them.
 * @throws SpoonError `credential-invalid`, which quotes nothing
 */
export function checkDeployKey(text: string): string {
  const plain = `${text.replaceAll('\r', '').trim()}\n`;
  if (plain.startsWith('PuTTY-')) {
    throw new SpoonError('credential-invalid', 'It is a key of PuTTY. Export it as an OpenSSH key first.');
  }
  const body = /^-----BEGIN ([A-Z ]*PRIVATE KEY)-----\n([\s\S]+)\n-----END \1-----\n$/.exec(plain)?.[2];
  if (body === undefined) {
    throw new SpoonError('credential-invalid', 'A deploy key is the private part, from -----BEGIN to -----END.');
  }
  // In OpenSSH's own form the name of the cipher is inside: `openssh-key-v1`, then `none`.
  const isOpen = body.startsWith('b3BlbnNzaC1rZXktdjEA')
    ? body.replaceAll('\n', '').startsWith('b3BlbnNzaC1rZXktdjEAAAAABG5vbmU')
    : !plain.includes('ENCRYPTED');
  if (!isOpen) {
    throw new SpoonError(
      'credential-invalid',
      'It has a passphrase, and nobody is there to type it. Make one without.',
    );
  }
  return plain;
}

/**
 * The keys in lines of known_hosts(5) or of ssh-keyscan(1), without the names of hosts in them.
 * @throws SpoonError `host-key-invalid`
 */
export function readHostKeys(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const keys = lines.map((line) => {
    const key = /^(?:[^@\s]\S*\s+)?((?:ssh|ecdsa|sk)-[a-z0-9@.-]+\s+[A-Za-z0-9+/]{40,}={0,3})(?:\s.*)?$/.exec(
      line,
    )?.[1];
    if (key === undefined) {
      throw new SpoonError('host-key-invalid', 'Give lines as ssh-keyscan prints them: host ssh-ed25519 AAAA…');
    }
    return key.replace(/\s+/, ' ');
  });
  return [...new Set(keys)];
}

/** Whether a run, by its stages, failed because its server lets nobody in, or not with what it was given. */
export function isRefused(stages: readonly { readonly name: string; readonly detail?: string }[]): boolean {
  const { title } = errorTable['repository-private'];
  return stages.some(({ name, detail }) => name === 'repository' && detail?.startsWith(title));
}
