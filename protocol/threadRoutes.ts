import { Type } from 'typebox';
import type { Route } from './route.ts';
import { CreatedThread, CreateSpoonRequest, CreateThreadRequest, Spoon, SpoonList, ThreadList } from './threads.ts';

const closed = { additionalProperties: false } as const;

/** The part of the route table that is about spoons and threads. */
export const threadRoutes = {
  listSpoons: {
    method: 'GET',
    path: '/v1/spoons',
    scope: 'terminals:open',
    summary: 'The own repositories',
    response: SpoonList,
  },
  createSpoon: {
    method: 'POST',
    path: '/v1/spoons',
    scope: 'boxes:manage',
    summary: 'A repository by name and address; nothing is fetched yet',
    body: CreateSpoonRequest,
    response: Spoon,
  },
  removeSpoon: {
    method: 'DELETE',
    path: '/v1/spoons/:id',
    scope: 'boxes:manage',
    summary: 'Forget a repository that has no threads',
  },
  listThreads: {
    method: 'GET',
    path: '/v1/threads',
    scope: 'terminals:open',
    summary: 'The own threads, the last used first; with their status where the box runs',
    query: Type.Object({ status: Type.Optional(Type.Boolean()) }, closed),
    response: ThreadList,
  },
  createThread: {
    method: 'POST',
    path: '/v1/threads',
    scope: 'boxes:manage',
    summary: 'A branch in a folder of its own; starts the box, answers when it is checked out. Closing it cancels',
    body: CreateThreadRequest,
    response: CreatedThread,
  },
  removeThread: {
    method: 'DELETE',
    path: '/v1/threads/:id',
    scope: 'boxes:manage',
    summary: 'Delete the thread and its checkout; what would be lost must be confirmed',
    query: Type.Object({ confirm: Type.Optional(Type.String({ maxLength: 128 })) }, closed),
  },
} as const satisfies Record<string, Route>;
