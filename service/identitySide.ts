import type { FastifyInstance } from 'fastify';
import { routes } from '../protocol/routes.ts';
import type { Audit } from './audit/audit.ts';
import { eventOf } from './audit/auditRoutes.ts';
import { InTurn } from './boxes/inTurn.ts';
import type { RateLimits } from './http/rateLimits.ts';
import { Accounts, type AccountsParts } from './identity/accounts.ts';
import { addIdentityRoutes } from './identity/identityRoutes.ts';
import { Invites } from './identity/invites.ts';
import { OidcIdentities } from './identity/oidcIdentities.ts';
import { OidcProvider, type OidcSettings } from './identity/oidcProvider.ts';
import { addOidcRoutes } from './identity/oidcRoutes.ts';
import { Passwords } from './identity/passwords.ts';
import { addSignInRoutes, type SignInParts } from './identity/signInRoutes.ts';
import { SignIns } from './identity/signIns.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { Logger } from './logger.ts';
import type { Store } from './store/database.ts';

export interface IdentityParts extends Omit<AccountsParts, 'inTurn' | 'endSignIns'> {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly audit: Audit;
  readonly limits: RateLimits;
  readonly oidc: OidcSettings | undefined;
  readonly log: Logger;
  /** Where people reach the service. */
  readonly publicUrl: () => string;
}

/** Accounts, tokens and the ways to sign in, put together and given their routes. */
export function addIdentity(app: FastifyInstance, parts: IdentityParts): void {
  const { users, tokens, limits, publicUrl, audit, oidc } = parts;
  const turns = new InTurn();
  const signIns = new SignIns();
  const accounts = new Accounts({
    ...parts,
    inTurn: (username, work) => turns.run(username, work),
    endSignIns: (userId) => signIns.endThoseOf(userId),
  });
  addIdentityRoutes(app, { users, tokens, accounts });
  const stored = { store: parts.store, keyring: parts.keyring, now: Date.now };
  const redirectUri = () => `${publicUrl()}${routes.endOidc.path}`;
  const provider =
    oidc === undefined
      ? undefined
      : new OidcProvider({ settings: oidc, redirectUri, onFailure: (error) => parts.log.failure('oidc', error) });
  const signIn: SignInParts = {
    users,
    accounts,
    tokens,
    passwords: new Passwords(stored),
    invites: new Invites(stored),
    signIns,
    recordSignIn: async (request, { id, username }, code) => {
      const actor = { kind: 'user', userId: id, username, tokenId: null } as const;
      await audit.record(eventOf(request, 'sign-in', code === undefined ? 'done' : 'refused', code, { actor }));
    },
    recordInvite: async (request, { id, username }) => {
      const actor = { kind: 'user', userId: id, username, tokenId: null } as const;
      await audit.record(eventOf(request, 'invite.use', 'started', undefined, { actor }));
    },
    providerName: oidc?.name,
    limits,
    publicUrl,
  };
  addSignInRoutes(app, signIn);
  addOidcRoutes(app, {
    ...signIn,
    provider,
    identities: new OidcIdentities(stored),
    recordProvision: async (request, username) => {
      const result = username === undefined ? 'started' : 'done';
      await audit.record(eventOf(request, 'user.create', result, undefined, { object: username ?? null }));
    },
    recordAdmin: async (request, { username }, isAdmin) => {
      const event = isAdmin ? 'user.promote' : 'user.demote';
      await audit.record(eventOf(request, event, 'started', undefined, { object: username }));
    },
  });
}
