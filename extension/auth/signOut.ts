import * as vscode from 'vscode';
import { ApiClient } from '../../client/apiClient.ts';
import { endToken } from '../../client/endToken.ts';
import { parseToken } from '../../protocol/tokenFormat.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { failureText } from '../failure.ts';
import type { Network } from '../network.ts';
import type { Session, Sessions } from './sessions.ts';

export interface SignOutParts {
  readonly sessions: Sessions;
  readonly current: CurrentConnection;
  readonly network: Network;
  /** With which the same person administers the service. */
  readonly adminTokens: { remove(session: Session): Promise<string | undefined> };
}

/**
 * Forgets the sign-in, and ends the token that it has made: by the window alone that was asked to. Out of reach, the person is
 * told how long that token lives and what ends it.
 */
export async function signOut(
  { sessions, current, network, adminTokens }: SignOutParts,
  { url }: Pick<Session, 'url'>,
): Promise<void> {
  // What is stored, and not what the connection was opened with: it may have been signed in anew.
  const session = await sessions.get(url);
  await sessions.remove(url);
  // Before the token ends: a connection that still had it would tell people that they were refused.
  await current.follow();
  if (session === undefined) return;
  // Whoever signs in next administers only when asked for the password. What cannot be ended ends by itself within hours.
  const adminId = await adminTokens.remove(session);
  if (adminId !== undefined) await endOwn(network, session, adminId);
  if (session.signedInUntilMs === undefined) return;
  const id = parseToken(session.token)?.id;
  if (id === undefined) return;
  const failure = await endOwn(network, session, id);
  if (failure !== undefined) void sayThatItLives(session.signedInUntilMs, { session, id, failure });
}

async function endOwn(network: Network, { url, token }: Session, id: string): Promise<unknown> {
  try {
    const { fetch } = await network();
    return await endToken(new ApiClient({ url, token: () => token, clientId: 'sign-out', fetch }), id);
  } catch (error) {
    return error;
  }
}

async function sayThatItLives(
  untilMs: number,
  { session, id, failure }: { session: Session; id: string; failure: unknown },
): Promise<void> {
  const command = `spoonctl tokens revoke ${id}`;
  const text = vscode.l10n.t(
    'Signed out of {0}, but its token could not be ended: {1} It is valid until {2}. To end it sooner: {3}',
    new URL(session.url).host,
    failureText(failure),
    new Date(untilMs).toLocaleDateString(),
    command,
  );
  const copy = vscode.l10n.t('Copy Command');
  if ((await vscode.window.showWarningMessage(text, copy)) === copy) await vscode.env.clipboard.writeText(command);
}
