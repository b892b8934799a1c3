import { Type } from 'typebox';
import type { Route } from './route.ts';
import {
  BranchList,
  CreatedThread,
  CreateSpoonRequest,
  CreateThreadRequest,
  Spoon,
  SpoonList,
  Thread,
  ThreadList,
  ThreadLosses,
  UpdatedThread,
} from './threads.ts';

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
  listBranches: {
    method: 'GET',
    path: '/v1/spoons/:id/branches',
    scope: 'boxes:manage',
    summary: 'The branches that the repository has now; starts the box, which asks for them',
    response: BranchList,
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
  readThread: {
    method: 'GET',
    path: '/v1/threads/:id',
    scope: 'terminals:open',
    summary: 'One thread, its status read anew where the box runs',
    response: Thread,
  },
  checkOutThread: {
    method: 'POST',
    path: '/v1/threads/:id/checkout',
    scope: 'boxes:manage',
    summary: 'Make sure that its folder is there; starts the box. Opening a terminal in it does so too',
    response: CreatedThread,
  },
  updateThread: {
    method: 'POST',
    path: '/v1/threads/:id/update',
    scope: 'boxes:manage',
    summary: 'Fetch, and fast-forward where that needs no decision; starts the box. Closing it cancels',
    response: UpdatedThread,
  },
  threadLosses: {
    method: 'GET',
    path: '/v1/threads/:id/losses',
    scope: 'boxes:manage',
    summary: 'What deleting its checkout would lose, by name, and what confirms that; starts the box',
    response: ThreadLosses,
  },
  removeThread: {
    method: 'DELETE',
    path: '/v1/threads/:id',
    scope: 'boxes:manage',
    summary: 'Delete the thread and its checkout; what would be lost must be confirmed',
    query: Type.Object({ confirm: Type.Optional(Type.String({ maxLength: 128 })) }, closed),
  },
} as const satisfies Record<string, Route>;
