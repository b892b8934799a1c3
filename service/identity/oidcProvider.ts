import * as client from 'openid-client';
import { SpoonError } from '../../protocol/errors.ts';
import { onOneLine } from '../../protocol/plainText.ts';

/** An OpenID provider as its client sees it: where to send a browser, and who came back. */

export interface OidcSettings {
  /** As the provider writes it. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a public client, which PKCE alone protects. */
  readonly clientSecret: string | undefined;
  /** What people know it by. */
  readonly name: string;
  readonly scope: string;
  readonly usernameClaim: string;
  /** Whether who is unknown gets an account; else an invite has to be linked first. */
  readonly provisions: boolean;
  /** Who is in it is an administrator, who is not is none; undefined: groups decide nothing. */
  readonly adminGroup: string | undefined;
  readonly groupsClaim: string;
}

/** What has to come back with one browser. */
export interface OidcChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface OidcPerson {
  readonly issuer: string;
  /** Unique and for ever with this issuer; an address or a name is neither. */
  readonly subject: string;
  readonly displayName: string;
  /** Not checked yet, and perhaps none at all. */
  readonly wantedUsername: string;
  /** Undefined: groups decide nothing. */
  readonly isAdmin: boolean | undefined;
}

export interface OidcProviderParts {
  readonly settings: OidcSettings;
  /** Registered with the provider. */
  readonly redirectUri: () => string;
  /** For the log: what a person is told in general. */
  readonly onFailure: (error: unknown) => void;
  readonly now?: () => number;
}

const answerSeconds = 10;
/** Two machines whose clocks are kept by NTP differ by less. */
const clockToleranceSeconds = 60;
const metadataMs = 60 * 60_000;

export class OidcProvider {
  readonly settings: OidcSettings;
  readonly #parts: OidcProviderParts;
  readonly #now: () => number;
  #found: { readonly configuration: client.Configuration; readonly atMs: number } | undefined;

  constructor(parts: OidcProviderParts) {
    this.#parts = parts;
    this.settings = parts.settings;
    this.#now = parts.now ?? (() => performance.now());
  }

  /** @throws SpoonError `oidc-unavailable` */
  async begin(): Promise<{ address: string; checks: OidcChecks }> {
    const configuration = await this.#configuration();
    const checks = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
    };
    const address = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#parts.redirectUri(),
      scope: this.settings.scope,
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
    });
    return { address: address.href, checks };
  }

  /**
   * @param search the query with which the browser came back
   * @throws SpoonError `oidc-unavailable`; `sign-in-denied` when the person said no; `oidc-refused` for what cannot be trusted
   */
  async finish(search: string, { state, nonce, verifier }: OidcChecks): Promise<OidcPerson> {
    const configuration = await this.#configuration();
    const address = new URL(this.#parts.redirectUri());
    address.search = search;
    try {
      const answer = await client.authorizationCodeGrant(configuration, address, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const claims = answer.claims();
      if (claims === undefined) throw new Error('there is no ID token');
      return this.#personOf({ ...(await this.#moreClaims(configuration, answer, claims)), ...claims });
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async #configuration(): Promise<client.Configuration> {
    const nowMs = this.#now();
    if (this.#found !== undefined && nowMs - this.#found.atMs < metadataMs) return this.#found.configuration;
    const { issuer, clientId, clientSecret } = this.settings;
    const url = new URL(issuer);
    // RFC 8414 and OpenID Connect put a path's metadata in different places; the library asks where the latter does.
    const execute = [client.enableNonRepudiationChecks];
    // Loopback only (oidcSettings.ts).
    if (url.protocol === 'http:') execute.push(client.allowInsecureRequests);
    const authentication = clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret);
    try {
      const configuration = await client.discovery(
        url,
        clientId,
        { [client.clockTolerance]: clockToleranceSeconds },
        authentication,
        { execute, timeout: answerSeconds },
      );
      this.#found = { configuration, atMs: nowMs };
      return configuration;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Many providers say in the ID token who somebody is, and only when asked what the name is. */
  async #moreClaims(
    configuration: client.Configuration,
    { access_token }: client.TokenEndpointResponse,
    claims: client.IDToken,
  ): Promise<object> {
    const { usernameClaim, adminGroup, groupsClaim } = this.settings;
    const wanted = ['name', usernameClaim, ...(adminGroup === undefined ? [] : [groupsClaim])];
    const lacks = wanted.some((name) => claims[name] === undefined);
    if (!lacks || configuration.serverMetadata().userinfo_endpoint === undefined) return {};
    return client.fetchUserInfo(configuration, access_token, claims.sub);
  }

  #personOf(claims: client.IDToken): OidcPerson {
    const { usernameClaim, adminGroup, groupsClaim } = this.settings;
    const text = (name: string): string => (typeof claims[name] === 'string' ? claims[name] : '');
    // An address as a username is its part before the @.
    const wantedUsername = text(usernameClaim).split('@')[0] ?? '';
    const groups = claims[groupsClaim];
    return {
      issuer: claims.iss,
      subject: claims.sub,
      displayName: onOneLine(text('name') || wantedUsername || 'User').slice(0, 100),
      wantedUsername,
      isAdmin: adminGroup === undefined ? undefined : Array.isArray(groups) && groups.includes(adminGroup),
    };
  }

  #explained(error: unknown): SpoonError {
    const { name } = this.settings;
    if (error instanceof client.AuthorizationResponseError && error.error === 'access_denied') {
      return new SpoonError('sign-in-denied', `${name} says that you, or it, refused.`, { cause: error });
    }
    this.#parts.onFailure(error);
    if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError) {
      const code = onOneLine(error.error).slice(0, 60);
      return new SpoonError(
        'oidc-refused',
        `${name} answers “${code}”. Try again; if it stays, tell your administrator.`,
        {
          cause: error,
        },
      );
    }
    if (isAway(error)) {
      return new SpoonError('oidc-unavailable', `${name} does not answer. Try again in a moment.`, { cause: error });
    }
    return new SpoonError(
      'oidc-refused',
      `What ${name} answered does not hold. Tell your administrator; the log of the service says why.`,
      { cause: error },
    );
  }
}

/** No connection, no answer in time, or an answer that is an error of its server. */
function isAway(error: unknown): boolean {
  if (error instanceof TypeError && error.message === 'fetch failed') return true;
  if (!(error instanceof Error)) return false;
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return true;
  const { cause } = error;
  if (cause instanceof Response) return cause.status >= 500;
  return cause !== undefined && cause !== error && isAway(cause);
}
