import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import { adminSignInLifeMs, defaultInviteLifeDays, deviceCodeLifeMs, deviceIntervalMs } from '../../protocol/limits.ts';
import { routes } from '../../protocol/routes.ts';
import { editorRedirect, type SignInQuery } from '../../protocol/signIn.ts';
import { requireUser } from '../http/authenticate.ts';
import { networkOf } from '../http/networkOf.ts';
import { sendPage } from '../http/page.ts';
import type { TokenBuckets } from '../http/rateLimits.ts';
import { addRoute } from '../http/route.ts';
import type { Accounts } from './accounts.ts';
import type { Invites } from './invites.ts';
import type { Passwords } from './passwords.ts';
import * as pages from './signInPages.ts';
import { readSignInRequest, type Shown, type SignedIn, type SignInRequest, type SignIns } from './signIns.ts';
import type { Tokens } from './tokens.ts';
import type { Account, Users } from './users.ts';

export interface SignInParts {
  readonly users: Users;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  readonly invites: Invites;
  readonly signIns: SignIns;
  readonly limits: { readonly signIns: TokenBuckets; readonly passwordsOfAccount: TokenBuckets };
  /** Writes down an attempt. @throws SpoonError `audit-unavailable`: nobody signs in unseen */
  readonly recordSignIn: (request: FastifyRequest, user: Account, code?: string) => Promise<void>;
  /** Writes down that an invite is used: somebody gets into an account by it. @throws SpoonError as above */
  readonly recordInvite: (request: FastifyRequest, user: Account) => Promise<void>;
  /** Name of the sign-in provider, if there is one. */
  readonly providerName: string | undefined;
  /** Where people reach the service, without a slash at the end. */
  readonly publicUrl: () => string;
}

/** `/sign-in` and `/v1/sign-in`: the only way from a password to a token. */
export function addSignInRoutes(app: FastifyInstance, parts: SignInParts): void {
  addPages(app, parts);
  addExchanges(app, parts);
  addPasswordRoutes(app, parts);
}

function addPages(app: FastifyInstance, parts: SignInParts): void {
  const { signIns, providerName: provider } = parts;
  addRoute(app, routes.signInPage, async ({ query, reply }) =>
    orRefusal(reply, async () => {
      const request = readSignInRequest(query);
      return sendPage(reply, pages.signInPage(request, fieldsOf(query), { provider }), {
        formTarget: request.redirectUri,
      });
    }),
  );
  addRoute(app, routes.submitSignIn, async ({ body, request, reply }) =>
    orRefusal(reply, async () => {
      const { username, password, ...query } = body;
      const wanted = readSignInRequest(query);
      try {
        const { account, who } = await checkPassword(parts, request, { username, password });
        if (wanted.kind === 'admin' && !account.admin) throw new SpoonError('not-an-admin');
        return goBack(reply, wanted, signIns.grant(who, wanted));
      } catch (error) {
        const text = pages.signInPage(wanted, fieldsOf(query), {
          provider,
          problem: wordsOf(error),
          username,
        });
        return sendPage(failed(reply, error), text, { formTarget: wanted.redirectUri });
      }
    }),
  );
  addRoute(app, routes.invitePage, async ({ reply }) =>
    sendPage(reply, pages.invitePage('', { provider }), { script: true }),
  );
  addRoute(app, routes.submitInvite, async ({ body, request, reply }) => {
    try {
      parts.limits.signIns.take(networkOf(request));
      if (body.password !== body.again) throw new SpoonError('password-unsuitable', 'The two are not the same.');
      let username = '';
      await parts.invites.use(body.invite, async (userId, spend) => {
        const account = await parts.users.byId(userId);
        if (account === undefined) throw new SpoonError('invite-invalid');
        username = account.username;
        await parts.recordInvite(request, account);
        await parts.passwords.set(account, body.password, spend);
      });
      return sendPage(reply, pages.invitedPage(username, parts.publicUrl()));
    } catch (error) {
      return sendPage(failed(reply, error), pages.invitePage(body.invite, { provider, problem: wordsOf(error) }), {
        script: true,
      });
    }
  });
  addRoute(app, routes.devicePage, async ({ reply }) => sendPage(reply, pages.devicePage({ provider })));
  addRoute(app, routes.submitDevice, async ({ body, request, reply }) => {
    const { username, password, user_code } = body;
    try {
      const { account, who } = await checkPassword(parts, request, { username, password });
      const { confirm, device } = signIns.findDevice(who, user_code);
      if (device.kind === 'admin' && !account.admin) throw new SpoonError('not-an-admin');
      return sendPage(reply, pages.confirmDevicePage(account.username, confirm, device));
    } catch (error) {
      return sendPage(failed(reply, error), pages.devicePage({ provider, problem: wordsOf(error), username }));
    }
  });
  addRoute(app, routes.answerDevice, async ({ body, reply }) =>
    orRefusal(reply, async () => {
      const { clientName } = signIns.answerDevice(body.confirm, body.answer);
      return sendPage(reply, pages.answeredPage(clientName, body.answer === 'approve'));
    }),
  );
  addRoute(app, routes.signInStyle, async ({ reply }) => reply.type('text/css; charset=utf-8').send(pages.pageStyle));
  addRoute(app, routes.signInScript, async ({ reply }) =>
    reply.type('text/javascript; charset=utf-8').send(pages.inviteScript),
  );
}

function addExchanges(app: FastifyInstance, { signIns, tokens, limits }: SignInParts): void {
  const tokenFor = ({ who, clientName, kind }: SignedIn) =>
    tokens.create({
      ownerId: who.userId,
      kind,
      name: clientName,
      ...(kind === 'admin' ? { lifeMs: adminSignInLifeMs } : {}),
      check: () => signIns.requireValid(who),
    });
  addRoute(app, routes.exchangeCode, async ({ body, request }) => {
    limits.signIns.take(networkOf(request));
    return tokenFor(signIns.exchange(body));
  });
  addRoute(app, routes.requestDeviceCode, async ({ body, request }) => {
    limits.signIns.take(networkOf(request));
    const codes = signIns.requestDevice(body.clientName, request.ip || 'this machine', body.kind);
    return { ...codes, path: routes.devicePage.path, expiresInMs: deviceCodeLifeMs, intervalMs: deviceIntervalMs };
  });
  addRoute(app, routes.exchangeDeviceCode, async ({ body }) => tokenFor(signIns.exchangeDevice(body.deviceCode)));
}

function addPasswordRoutes(app: FastifyInstance, parts: SignInParts): void {
  const { accounts, users, passwords, invites, limits, publicUrl } = parts;
  addRoute(app, routes.changePassword, async ({ caller, body }) => {
    const { userId } = requireUser(caller);
    const account = await users.byId(userId);
    if (account === undefined) throw new SpoonError('not-found');
    limits.passwordsOfAccount.take(userId);
    await passwords.change(account, body.current, body.password);
    return undefined;
  });
  addRoute(app, routes.adminInviteUser, async ({ params, body }) => {
    const { id, username } = await accounts.named(params.username ?? '');
    const { invite, expiresMs } = await invites.create(id, body.lifeDays ?? defaultInviteLifeDays);
    return { username, link: `${publicUrl()}${routes.invitePage.path}#${invite}`, expiresMs };
  });
}

/**
 * The same answer in the same time for a wrong name as for a wrong password. Counted by network, and by account and network:
 * by account alone, anybody could lock somebody else out.
 * @throws SpoonError `sign-in-refused`, `user-disabled`, `too-many-requests`
 */
async function checkPassword(
  { users, passwords, signIns, limits, recordSignIn }: SignInParts,
  request: FastifyRequest,
  given: { username: string; password: string },
): Promise<{ account: Account; who: Shown }> {
  const begun = signIns.begin();
  const network = networkOf(request);
  const username = given.username.trim().toLowerCase();
  limits.signIns.take(network);
  // Hashed: whatever was typed as a name is kept for hours.
  limits.passwordsOfAccount.take(createHash('sha256').update(`${network} ${username}`).digest('base64'));
  const account = await users.byName(username);
  const isRight = await passwords.verify(account?.id, given.password);
  // Attempts on names that nobody has are not written down: they are whatever somebody typed, or made up to fill the disk.
  if (account === undefined) throw new SpoonError('sign-in-refused');
  const code = !isRight ? 'sign-in-refused' : account.disabled ? 'user-disabled' : undefined;
  await recordSignIn(request, account, code);
  if (code !== undefined) throw new SpoonError(code);
  return { account, who: { userId: account.id, begun } };
}

/** The hidden fields of the form: what the program asked for, unchanged. */
function fieldsOf(query: SignInQuery): Record<string, string> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Record<string, string>;
}

export function goBack(reply: FastifyReply, { redirectUri }: SignInRequest, address: string): FastifyReply {
  if (editorRedirect.test(redirectUri)) return sendPage(reply, pages.openEditorPage(address));
  return reply.code(303).header('location', address).send();
}

/** A mistake of the program, or an old page: there is no form to show again. */
export async function orRefusal(reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    return sendPage(failed(reply, error), pages.refusedPage(error.title, error.detail));
  }
}

/** @throws what is not for people */
function wordsOf(error: unknown): string {
  if (!(error instanceof SpoonError) || error.status >= 500) throw error;
  return error.message;
}

function failed(reply: FastifyReply, error: unknown): FastifyReply {
  if (!(error instanceof SpoonError)) throw error;
  const { retryAfterSeconds } = error.extra;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  reply.request.errorCode = error.code;
  // 401 would make a browser look for a way to answer it.
  return reply.code(error.status === 401 ? 403 : error.status);
}
