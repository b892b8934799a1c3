import {
  PreviewRepositoryRequest,
  RepositoryGenerations,
  RepositoryPreview,
  RepositoryState,
  RollBackFileRequest,
  RollBackRequest,
  RolledBackFile,
  RunRepositoryRequest,
  SetRepositoryRequest,
} from './repository.ts';
import { SetRepositoryCredentialRequest } from './repositoryCredential.ts';
import type { Route } from './route.ts';

const path = '/v1/environment/repository';

/** The part of the route table that is about the dotfiles repository. */
export const repositoryRoutes = {
  repository: {
    method: 'GET',
    path,
    scope: 'files:read',
    summary: 'The dotfiles repository and its last run',
    response: RepositoryState,
  },
  setRepository: {
    method: 'PUT',
    path,
    scope: 'files:write',
    audit: 'repository.set',
    summary: 'Choose the dotfiles repository, or switch it off; runs in the box where one is up',
    body: SetRepositoryRequest,
    response: RepositoryState,
  },
  removeRepository: {
    method: 'DELETE',
    path,
    scope: 'files:write',
    summary: 'Forget the dotfiles repository, and give back what was displaced for it',
    response: RepositoryState,
  },
  setRepositoryCredential: {
    method: 'PUT',
    path: `${path}/credential`,
    scope: 'secrets:write',
    audit: 'repository-credential.set',
    summary: 'Set the token or deploy key of a private repository, sealed for repository/{kind}/{host}',
    body: SetRepositoryCredentialRequest,
    response: RepositoryState,
  },
  removeRepositoryCredential: {
    method: 'DELETE',
    path: `${path}/credential`,
    scope: 'secrets:write',
    audit: 'repository-credential.remove',
    summary: 'Forget the token or deploy key of the repository',
    response: RepositoryState,
  },
  checkRepository: {
    method: 'POST',
    path: `${path}/check`,
    scope: 'boxes:manage',
    summary: 'Ask the repository what its ref points to; starts the box, fetches nothing',
    response: RepositoryState,
  },
  previewRepository: {
    method: 'POST',
    path: `${path}/preview`,
    scope: 'boxes:manage',
    summary: 'What a run would write, link and remove, and what it would run; changes nothing. Starts the box',
    body: PreviewRepositoryRequest,
    response: RepositoryPreview,
  },
  repositoryGenerations: {
    method: 'GET',
    path: `${path}/generations`,
    scope: 'files:read',
    summary: 'The applies that ended well, newest first',
    response: RepositoryGenerations,
  },
  rollBackRepository: {
    method: 'POST',
    path: `${path}/roll-back`,
    scope: 'boxes:manage',
    summary: 'Apply an earlier generation; 0 is the home before any. Answers when it has begun. Starts the box',
    body: RollBackRequest,
    response: RepositoryState,
  },
  rollBackRepositoryFile: {
    method: 'POST',
    path: `${path}/roll-back-file`,
    scope: 'boxes:manage',
    summary: 'Give one file of the checkout the content that it had in an earlier generation. Starts the box',
    body: RollBackFileRequest,
    response: RolledBackFile,
  },
  runRepository: {
    method: 'POST',
    path: `${path}/run`,
    scope: 'boxes:manage',
    summary: 'Run clone and setup again, though nothing changed; answers when it has begun. Starts the box',
    body: RunRepositoryRequest,
    response: RepositoryState,
  },
  cancelRepository: {
    method: 'POST',
    path: `${path}/cancel`,
    scope: 'boxes:manage',
    summary: 'End the run that is under way, with all that it started',
    response: RepositoryState,
  },
  repositoryLog: {
    method: 'GET',
    path: `${path}/log`,
    scope: 'files:read',
    summary: 'What the last run printed, as text; its beginning and its end where that is more than 1 MiB',
    bytes: 'response',
  },
} as const satisfies Record<string, Route>;
