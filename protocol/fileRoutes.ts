import { Type } from 'typebox';
import { FileMoveRequest, FilePathRequest, FileStat, FolderEntries } from './homeFiles.ts';
import type { Route } from './route.ts';

const closed = { additionalProperties: false } as const;
const pathQuery = Type.Object({ path: Type.String() }, closed);

/** `/v1/files`. Who may open a terminal may do all of this there, and no other scope reaches into the home. */
export const fileRoutes = {
  statFile: {
    method: 'GET',
    path: '/v1/files/stat',
    scope: 'terminals:open',
    summary: 'What is at a path of the home; the box must run',
    query: pathQuery,
    response: FileStat,
  },
  listFolder: {
    method: 'GET',
    path: '/v1/files/list',
    scope: 'terminals:open',
    summary: 'What is in a folder of the home',
    query: pathQuery,
    response: FolderEntries,
  },
  readFile: {
    method: 'GET',
    path: '/v1/files/content',
    scope: 'terminals:open',
    summary: 'The bytes of a file in the home, its version as ETag',
    query: pathQuery,
    bytes: 'response',
  },
  writeFile: {
    method: 'PUT',
    path: '/v1/files/content',
    scope: 'terminals:open',
    summary: 'Create (If-None-Match) or replace (If-Match) a file in the home',
    query: pathQuery,
    bytes: 'request',
    response: FileStat,
  },
  removeFile: {
    method: 'DELETE',
    path: '/v1/files',
    scope: 'terminals:open',
    summary: 'Delete a file, a link, or a folder of the home; recursive with all in it',
    query: Type.Object({ path: Type.String(), recursive: Type.Optional(Type.Boolean()) }, closed),
  },
  createFolder: {
    method: 'POST',
    path: '/v1/files/folders',
    scope: 'terminals:open',
    summary: 'Make a folder in the home; the one above must be there',
    body: FilePathRequest,
    response: FileStat,
  },
  moveFile: {
    method: 'POST',
    path: '/v1/files/move',
    scope: 'terminals:open',
    summary: 'Rename or move within the home',
    body: FileMoveRequest,
    response: FileStat,
  },
  copyFile: {
    method: 'POST',
    path: '/v1/files/copy',
    scope: 'terminals:open',
    summary: 'Copy a file, or a folder with all in it, within the home',
    body: FileMoveRequest,
    response: FileStat,
  },
  watchFiles: {
    method: 'GET',
    path: '/v1/files/watch',
    scope: 'ticket',
    summary: 'Changes of files in the home, as they happen',
    upgrade: true,
  },
} as const satisfies Record<string, Route>;
