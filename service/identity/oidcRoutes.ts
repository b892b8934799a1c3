import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import type { TokenKind } from '../../protocol/identity.ts';
import { oidcSignInLifeMs } from '../../protocol/limits.ts';
import { routes } from '../../protocol/routes.ts';
import type { OidcForm } from '../../protocol/signIn.ts';
import { networkOf } from '../http/networkOf.ts';
import { sendPage } from '../http/page.ts';
import { addRoute } from '../http/route.ts';
import type { OidcIdentities } from './oidcIdentities.ts';
import type { OidcPerson, OidcProvider } from './oidcProvider.ts';
import { type OidcPurpose, OidcSignIns } from './oidcSignIns.ts';
import * as pages from './signInPages.ts';
import { goBack, orRefusal, type SignInParts } from './signInRoutes.ts';
import { readSignInRequest } from './signIns.ts';
import type { Account } from './users.ts';

export interface OidcParts extends SignInParts {
  readonly provider: OidcProvider | undefined;
  readonly identities: OidcIdentities;
  /** Writes down that an account is about to be made, and that it was. @throws SpoonError `audit-unavailable` */
  readonly recordProvision: (request: FastifyRequest, username?: string) => Promise<void>;
  /** Writes down that the groups at the provider make a user an administrator, or none. @throws as above */
  readonly recordAdmin: (request: FastifyRequest, user: Account, isAdmin: boolean) => Promise<void>;
}

/** A sign-in that a provider vouches for: away to it, and back. Then everything is as after a password. */
export function addOidcRoutes(app: FastifyInstance, parts: OidcParts): void {
  const { provider, limits, publicUrl, signIns } = parts;
  const underWay = new OidcSignIns();
  const cookie = cookieFor(publicUrl);
  addRoute(app, routes.beginOidc, async ({ body, request, reply }) =>
    orRefusal(reply, async () => {
      if (provider === undefined) throw new SpoonError('oidc-off');
      limits.signIns.take(networkOf(request));
      const purpose = purposeOf(body);
      const { address, checks } = await provider.begin();
      reply.header('set-cookie', cookie.set(underWay.keep({ purpose, checks })));
      return sendPage(reply, pages.leavePage(provider.settings.name, address));
    }),
  );
  addRoute(app, routes.endOidc, async ({ query, request, reply }) =>
    orRefusal(reply, async () => {
      if (provider === undefined) throw new SpoonError('oidc-off');
      reply.header('set-cookie', cookie.clear());
      const { purpose, checks } = underWay.take(query.state ?? '', cookie.read(request.headers.cookie));
      const person = await provider.finish(new URL(request.url, 'http://localhost').search, checks);
      if (purpose.kind === 'invite') return linkInvited(parts, request, { reply, person, invite: purpose.invite });
      const begun = signIns.begin();
      const account = await accountOf(parts, request, person);
      const who = { userId: account.id, begun };
      const requireAdmin = (kind: TokenKind) => {
        if (kind === 'admin' && !account.admin) throw new SpoonError('not-an-admin');
      };
      if (purpose.kind === 'program') {
        requireAdmin(purpose.request.kind);
        return goBack(reply, purpose.request, signIns.grant(who, purpose.request));
      }
      const { confirm, device } = signIns.findDevice(who, purpose.userCode);
      requireAdmin(device.kind);
      return sendPage(reply, pages.confirmDevicePage(account.username, confirm, device));
    }),
  );
}

function purposeOf({ username, password, again, invite, user_code, ...query }: OidcForm): OidcPurpose {
  if (invite !== undefined) return { kind: 'invite', invite };
  if (user_code === undefined) return { kind: 'program', request: readSignInRequest(query) };
  if (user_code.trim() === '') throw new SpoonError('sign-in-code-invalid', 'Go back, and type the code first.');
  return { kind: 'device', userCode: user_code };
}

/** The invite is used up with what makes the two belong together. */
async function linkInvited(
  { invites, users, identities, recordInvite, publicUrl }: OidcParts,
  request: FastifyRequest,
  { reply, person, invite }: { reply: FastifyReply; person: OidcPerson; invite: string },
): Promise<FastifyReply> {
  let username = '';
  await invites.use(invite, async (userId, spend) => {
    const account = await users.byId(userId);
    if (account === undefined) throw new SpoonError('invite-invalid');
    username = account.username;
    await recordInvite(request, account);
    await identities.link(userId, person, spend);
  });
  return sendPage(reply, pages.invitedPage(username, publicUrl()));
}

/** @throws SpoonError `oidc-unknown`, `user-disabled` */
async function accountOf(parts: OidcParts, request: FastifyRequest, person: OidcPerson): Promise<Account> {
  const { users, accounts, identities, recordSignIn, recordAdmin } = parts;
  const userId = (await identities.userOf(person)) ?? (await provision(parts, request, person));
  const account = await users.byId(userId);
  if (account === undefined) throw new SpoonError('oidc-unknown');
  const code = account.disabled ? 'user-disabled' : undefined;
  await recordSignIn(request, account, code);
  if (code !== undefined) throw new SpoonError(code);
  if (person.isAdmin === undefined || person.isAdmin === account.admin) return account;
  await recordAdmin(request, account, person.isAdmin);
  return person.isAdmin ? accounts.promote(account.username) : accounts.demote(account.username);
}

/** The account and what it belongs to in one step: a second sign-in at the same time makes no second one. */
async function provision(parts: OidcParts, request: FastifyRequest, person: OidcPerson): Promise<string> {
  const { provider, users, identities, recordProvision } = parts;
  if (provider?.settings.provisions !== true) throw new SpoonError('oidc-unknown');
  await recordProvision(request);
  try {
    const { displayName, wantedUsername } = person;
    const account = await users.create({ displayName, usernameFrom: wantedUsername || displayName }, (trx, id) =>
      identities.linkIn(trx, id, person),
    );
    await recordProvision(request, account.username);
    return account.id;
  } catch (error) {
    const linked = error instanceof SpoonError && error.code === 'oidc-linked';
    const userId = linked ? await identities.userOf(person) : undefined;
    if (userId === undefined) throw error;
    return userId;
  }
}

/** Of the service's own host alone (`__Host-`) where it is reached by TLS; sent along when the provider leads back. */
function cookieFor(publicUrl: () => string) {
  const isSecure = () => publicUrl().startsWith('https:');
  const name = () => (isSecure() ? '__Host-spoon-sign-in' : 'spoon-sign-in');
  const line = (value: string, seconds: number) =>
    `${name()}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${isSecure() ? '; Secure' : ''}`;
  return {
    set: (value: string) => line(value, oidcSignInLifeMs / 1000),
    clear: () => line('', 0),
    read(header = ''): string {
      const start = `${name()}=`;
      const found = header.split(';').find((part) => part.trim().startsWith(start));
      return found?.trim().slice(start.length) ?? '';
    },
  };
}
