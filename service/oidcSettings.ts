import { isIP } from 'node:net';
import type { OidcSettings } from './identity/oidcProvider.ts';
import { readSecretFile } from './keyring/rootKey.ts';

/** The settings of `SPOON_OIDC_…`; the secret may still be in a file. */
export interface OidcConfig extends OidcSettings {
  readonly clientSecretFile: string | undefined;
}

type Refuse = (name: string, given: string, accepted: string) => never;

const variables = [
  'CLIENT_ID',
  'CLIENT_SECRET',
  'CLIENT_SECRET_FILE',
  'NAME',
  'SCOPES',
  'USERNAME_CLAIM',
  'PROVISION',
  'ADMIN_GROUP',
  'GROUPS_CLAIM',
].map((name) => `SPOON_OIDC_${name}`);

/** Of a claim or scope: what OpenID Connect and OAuth (RFC 6749, scope-token) allow, without what nobody uses. */
const word = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;

/** @returns undefined where there is no provider */
export function readOidcSettings(
  get: (name: string) => string | undefined,
  { refuse, publicUrl }: { refuse: Refuse; publicUrl: string | undefined },
): OidcConfig | undefined {
  const issuer = get('SPOON_OIDC_ISSUER');
  // Each is looked at, so that none is called unknown.
  const given = new Map(variables.map((name) => [name, get(name)]));
  if (issuer === undefined) {
    const alone = variables.find((name) => given.get(name) !== undefined);
    if (alone === undefined) return undefined;
    return refuse('SPOON_OIDC_ISSUER', '', `the address of the provider, as ${alone} is set`);
  }
  if (!isIssuer(issuer)) {
    return refuse(
      'SPOON_OIDC_ISSUER',
      issuer,
      'https:// and the issuer as its provider writes it; http:// on this machine only',
    );
  }
  if (publicUrl === undefined) {
    refuse('SPOON_PUBLIC_URL', '', 'where people reach the service: the provider sends them back there');
  }
  const clientId = given.get('SPOON_OIDC_CLIENT_ID') ?? '';
  if (!/^[\x20-\x7e]{1,500}$/.test(clientId)) refuse('SPOON_OIDC_CLIENT_ID', clientId, 'the id of the client there');
  const [secret, secretFile] = [given.get('SPOON_OIDC_CLIENT_SECRET'), given.get('SPOON_OIDC_CLIENT_SECRET_FILE')];
  if (secret !== undefined && secretFile !== undefined) {
    refuse('SPOON_OIDC_CLIENT_SECRET_FILE', secretFile, 'one of it and SPOON_OIDC_CLIENT_SECRET');
  }
  const claim = (name: string, fallback: string): string => {
    const value = given.get(name) ?? fallback;
    return word.test(value) ? value : refuse(name, value, 'the name of a claim');
  };
  const scopes = (given.get('SPOON_OIDC_SCOPES') ?? 'openid profile').trim().split(/\s+/);
  if (!scopes.includes('openid') || !scopes.every((scope) => word.test(scope))) {
    refuse('SPOON_OIDC_SCOPES', scopes.join(' '), 'scopes separated by blanks, openid among them');
  }
  const name = given.get('SPOON_OIDC_NAME') ?? new URL(issuer).host;
  if (!/^[^\p{Cc}]{1,40}$/u.test(name)) refuse('SPOON_OIDC_NAME', name, 'up to 40 characters for the button');
  const provision = given.get('SPOON_OIDC_PROVISION') ?? 'invite';
  if (provision !== 'invite' && provision !== 'auto') refuse('SPOON_OIDC_PROVISION', provision, 'invite or auto');
  return {
    issuer,
    clientId,
    clientSecret: secret?.trim(),
    clientSecretFile: secretFile,
    name,
    scope: scopes.join(' '),
    usernameClaim: claim('SPOON_OIDC_USERNAME_CLAIM', 'preferred_username'),
    provisions: provision === 'auto',
    adminGroup: given.get('SPOON_OIDC_ADMIN_GROUP'),
    groupsClaim: claim('SPOON_OIDC_GROUPS_CLAIM', 'groups'),
  };
}

/** @throws SpoonError `key-invalid`, in the words for files with secrets: missing, of somebody else, for others to read */
export async function withClientSecret(settings: OidcConfig | undefined): Promise<OidcSettings | undefined> {
  if (settings?.clientSecretFile === undefined) return settings;
  return {
    ...settings,
    clientSecret: (await readSecretFile(settings.clientSecretFile, 'SPOON_OIDC_CLIENT_SECRET_FILE')).trim(),
  };
}

/** Without a trailing slash added: it is compared to what the provider says letter by letter (OpenID Connect Discovery 4.3). */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash, username, password } = new URL(text);
  if ([search, hash, username, password].some((part) => part !== '')) return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  const isHere = host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return protocol === 'https:' || (protocol === 'http:' && isHere);
}
