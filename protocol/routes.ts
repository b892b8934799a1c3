import { Type } from 'typebox';
import { adminPageRoutes } from './adminPageRoutes.ts';
import { adminRoutes } from './adminRoutes.ts';
import { auditRoutes } from './auditRoutes.ts';
import { backupRoutes } from './backupRoutes.ts';
import { Box, BoxContainer, PinRequest } from './boxes.ts';
import { dotfileRoutes } from './dotfileRoutes.ts';
import { fileRoutes } from './fileRoutes.ts';
import { healthRoutes } from './healthRoutes.ts';
import { HomeUsage } from './homeUsage.ts';
import { CreatedToken, CreateTokenRequest, Me, RenewTokenRequest, TokenInfo, TokenList } from './identity.ts';
import { jobRoutes } from './jobRoutes.ts';
import { keyRoutes } from './keyRoutes.ts';
import { metricsRoutes } from './metricsRoutes.ts';
import { quotaRoutes } from './quotaRoutes.ts';
import { repositoryRoutes } from './repositoryRoutes.ts';
import type { Route } from './route.ts';
import { secretRoutes } from './secretRoutes.ts';
import { shareRoutes } from './shareRoutes.ts';
import { signInRoutes } from './signInRoutes.ts';
import { switchRoutes } from './switchRoutes.ts';
import {
  OpenedTerminal,
  OpenTerminalRequest,
  PreparedCommand,
  RunCommandRequest,
  TerminalList,
  Ticket,
  TicketRequest,
} from './terminals.ts';
import { threadRoutes } from './threadRoutes.ts';

/**
 * The one table of the HTTP API: the service registers exactly these, clients call them by name, the OpenAPI document and
 * the authorisation matrix of the tests come from it. A route without a scope does not compile.
 */

export const routes = {
  ...healthRoutes,
  openapi: {
    method: 'GET',
    path: '/v1/openapi.json',
    scope: 'public',
    summary: 'This API as an OpenAPI document',
    response: Type.Unknown(),
  },
  me: { method: 'GET', path: '/v1/me', scope: 'signed-in', summary: 'Who this token is', response: Me },

  ...dotfileRoutes,
  ...secretRoutes,

  box: {
    method: 'GET',
    path: '/v1/box',
    scope: 'signed-in',
    summary: 'The state of the own box, who holds it and when it stops',
    response: Box,
  },
  boxContainer: {
    method: 'GET',
    path: '/v1/box/container',
    scope: 'terminals:open',
    summary: "Docker's id of the own running box; it opens nothing to who has not that Docker",
    response: BoxContainer,
  },
  startBox: {
    method: 'POST',
    path: '/v1/box/start',
    scope: 'boxes:manage',
    audit: 'box.start',
    auditMayFail: true,
    summary: 'Start the box, or wait until it is up',
    response: Box,
  },
  stopBox: {
    method: 'POST',
    path: '/v1/box/stop',
    scope: 'boxes:manage',
    audit: 'box.stop',
    auditMayFail: true,
    summary: 'Stop the box and everything in it; the home stays',
    response: Box,
  },
  restartBox: {
    method: 'POST',
    path: '/v1/box/restart',
    scope: 'boxes:manage',
    audit: 'box.restart',
    auditMayFail: true,
    summary: 'End the box and everything in it, and start a new one; the home stays',
    response: Box,
  },
  pinBox: {
    method: 'POST',
    path: '/v1/box/pin',
    scope: 'boxes:manage',
    summary: 'Keep the running box up until then, at most a week ahead, whatever runs in it',
    body: PinRequest,
    response: Box,
  },
  unpinBox: {
    method: 'DELETE',
    path: '/v1/box/pin',
    scope: 'boxes:manage',
    summary: 'Let the box stop again when nothing holds it',
    response: Box,
  },
  homeUsage: {
    method: 'GET',
    path: '/v1/home/usage',
    scope: 'boxes:manage',
    summary: 'The largest folders of the home; starts the box, which counts for at most 10 s',
    response: HomeUsage,
  },
  applyDotfiles: {
    method: 'POST',
    path: '/v1/box/apply',
    scope: 'boxes:manage',
    summary: 'Check the home against all dotfiles and repair it',
    response: Box,
  },

  ...quotaRoutes,

  ...threadRoutes,

  ...repositoryRoutes,
  ...switchRoutes,

  ...jobRoutes,

  openTerminal: {
    method: 'POST',
    path: '/v1/terminals',
    scope: 'terminals:open',
    audit: 'terminal.open',
    auditMayFail: true,
    summary: 'Open a terminal; starts the box',
    body: OpenTerminalRequest,
    response: OpenedTerminal,
  },
  listTerminals: {
    method: 'GET',
    path: '/v1/terminals',
    scope: 'terminals:open',
    summary: 'The terminals of the running box',
    response: TerminalList,
  },
  closeTerminal: {
    method: 'DELETE',
    path: '/v1/terminals/:id',
    scope: 'terminals:open',
    audit: 'terminal.close',
    auditMayFail: true,
    summary: 'End a terminal and everything it started',
  },
  attachTerminal: {
    method: 'GET',
    path: '/v1/terminals/:id/attach',
    scope: 'ticket',
    summary: 'View a terminal',
    upgrade: true,
  },
  runCommand: {
    method: 'POST',
    path: '/v1/commands',
    scope: 'terminals:open',
    audit: 'command.run',
    auditMayFail: true,
    summary: 'Prepare a command without a terminal; starts the box',
    body: RunCommandRequest,
    response: PreparedCommand,
  },
  attachCommand: {
    method: 'GET',
    path: '/v1/commands/:id/attach',
    scope: 'ticket',
    summary: 'Start the command and pass its streams',
    upgrade: true,
  },
  createTicket: {
    method: 'POST',
    path: '/v1/tickets',
    scope: 'signed-in',
    summary: 'A one-use ticket for a WebSocket, 30 s',
    body: TicketRequest,
    response: Ticket,
  },
  events: { method: 'GET', path: '/v1/events', scope: 'ticket', summary: 'What changes, as it changes', upgrade: true },

  ...shareRoutes,

  ...fileRoutes,

  listTokens: {
    method: 'GET',
    path: '/v1/tokens',
    scope: 'tokens:manage',
    summary: 'The own tokens, without their secrets',
    response: TokenList,
  },
  createToken: {
    method: 'POST',
    path: '/v1/tokens',
    scope: 'tokens:manage',
    audit: 'token.create',
    summary: 'A new token of the same user',
    body: CreateTokenRequest,
    response: CreatedToken,
  },
  renewToken: {
    method: 'POST',
    path: '/v1/tokens/renew',
    scope: 'tokens:manage',
    audit: 'token.renew',
    summary: 'Let the token that is shown here live longer, up to a year after it was made',
    body: RenewTokenRequest,
    response: TokenInfo,
  },
  revokeToken: {
    method: 'DELETE',
    path: '/v1/tokens/:id',
    scope: 'tokens:manage',
    audit: 'token.revoke',
    summary: 'Revoke one of the own tokens',
  },

  ...signInRoutes,

  ...adminRoutes,

  ...adminPageRoutes,

  ...auditRoutes,

  ...keyRoutes,

  ...backupRoutes,

  ...metricsRoutes,
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
