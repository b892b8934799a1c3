import type { Route } from './route.ts';
import { Share, ShareList, ShareTerminalRequest } from './shares.ts';
import { Ticket } from './terminals.ts';

export const shareRoutes = {
  shareTerminal: {
    method: 'POST',
    path: '/v1/terminals/:id/shares',
    scope: 'terminals:open',
    audit: 'terminal.share',
    summary: 'Let another user look at a terminal, or use it, until a time',
    body: ShareTerminalRequest,
    response: Share,
  },
  listShares: {
    method: 'GET',
    path: '/v1/shares',
    scope: 'terminals:open',
    summary: 'Terminals that are shared, by oneself and by others, and who watches',
    response: ShareList,
  },
  endShare: {
    method: 'DELETE',
    path: '/v1/shares/:id',
    scope: 'terminals:open',
    audit: 'terminal.unshare',
    summary: 'End a share, as its owner or as its guest; who watches is gone at once',
  },
  watchShare: {
    method: 'POST',
    path: '/v1/shares/:id/ticket',
    scope: 'terminals:open',
    audit: 'terminal.watch',
    summary: 'A one-use ticket for a guest to watch, 30 s',
    response: Ticket,
  },
  attachShare: {
    method: 'GET',
    path: '/v1/shares/:id/attach',
    scope: 'ticket',
    summary: 'View a shared terminal',
    upgrade: true,
  },
} as const satisfies Record<string, Route>;
