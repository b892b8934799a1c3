import { Type } from 'typebox';
import {
  BatchResult,
  DeletedDotfileList,
  Dotfile,
  DotfileHistory,
  DotfileList,
  ModeRequest,
  MoveRequest,
  MoveResult,
  RemoveResult,
  RestoreRequest,
  SaveResult,
  SilenceRequest,
} from './dotfiles.ts';

/** The part of the route table (`routes.ts`) that is about dotfiles. */

const closed = { additionalProperties: false } as const;
/** Exactly one of the two: a removed dotfile has only its id left. */
const pathOrId = { path: Type.Optional(Type.String()), id: Type.Optional(Type.String()) };

export const dotfileRoutes = {
  listDotfiles: {
    method: 'GET',
    path: '/v1/dotfiles',
    scope: 'files:read',
    summary: 'All dotfiles, without contents',
    response: DotfileList,
  },
  readDotfile: {
    method: 'GET',
    path: '/v1/dotfiles/content',
    scope: 'files:read',
    summary: 'The bytes of one dotfile; of an older version of it; of a removed one',
    query: Type.Object({ ...pathOrId, version: Type.Optional(Type.Integer({ minimum: 1 })) }, closed),
    bytes: 'response',
  },
  saveDotfile: {
    method: 'PUT',
    path: '/v1/dotfiles/content',
    scope: 'files:write',
    summary: 'Create or replace one dotfile (If-Match, If-None-Match)',
    query: Type.Object(
      {
        path: Type.String(),
        kind: Type.Optional(Type.String()),
        mode: Type.Optional(Type.String()),
        origin: Type.Optional(Type.String()),
      },
      closed,
    ),
    bytes: 'request',
    response: SaveResult,
  },
  removeDotfile: {
    method: 'DELETE',
    path: '/v1/dotfiles',
    scope: 'files:write',
    summary: 'Remove one dotfile, or a folder with all below it',
    query: Type.Object({ path: Type.String(), recursive: Type.Optional(Type.Boolean()) }, closed),
    response: RemoveResult,
  },
  moveDotfile: {
    method: 'POST',
    path: '/v1/dotfiles/move',
    scope: 'files:write',
    summary: 'Rename or move a dotfile or a folder',
    body: MoveRequest,
    response: MoveResult,
  },
  dotfileHistory: {
    method: 'GET',
    path: '/v1/dotfiles/history',
    scope: 'files:read',
    summary: 'The kept versions of one dotfile, also of a removed one',
    query: Type.Object(pathOrId, closed),
    response: DotfileHistory,
  },
  deletedDotfiles: {
    method: 'GET',
    path: '/v1/dotfiles/deleted',
    scope: 'files:read',
    summary: 'The removed dotfiles that can be restored',
    response: DeletedDotfileList,
  },
  restoreDotfile: {
    method: 'POST',
    path: '/v1/dotfiles/restore',
    scope: 'files:write',
    summary: 'Make an older version the current one, or bring back a removed dotfile',
    body: RestoreRequest,
    response: SaveResult,
  },
  setDotfileMode: {
    method: 'POST',
    path: '/v1/dotfiles/mode',
    scope: 'files:write',
    summary: 'Change the permissions of a dotfile or folder',
    body: ModeRequest,
    response: SaveResult,
  },
  silenceDotfile: {
    method: 'POST',
    path: '/v1/dotfiles/silence',
    scope: 'files:write',
    summary: 'Say that what looks like a secret in a dotfile is fine, or take that back',
    body: SilenceRequest,
    response: Dotfile,
  },
  saveDotfiles: {
    method: 'POST',
    path: '/v1/dotfiles/batch',
    scope: 'files:write',
    summary: 'Create or replace many dotfiles at once, each wholly or not at all',
    query: Type.Object({ origin: Type.Optional(Type.String()) }, closed),
    bytes: 'request',
    response: BatchResult,
  },
} as const;
