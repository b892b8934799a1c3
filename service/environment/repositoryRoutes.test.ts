import assert from 'node:assert/strict';
import { it } from 'node:test';
import Fastify from 'fastify';
import type { Scope } from '../../protocol/scopes.ts';
import { addRepositoryRoutes } from './repositoryRoutes.ts';

it('a token of a repository is taken only from who may set one', async () => {
  const app = Fastify();
  app.decorateRequest('caller', null);
  const scopes = new Set<Scope>(['files:read', 'files:write', 'boxes:manage']);
  app.addHook('onRequest', async (request) => {
    request.caller = { kind: 'user', userId: 'ada', username: 'ada', tokenId: 't', scopes };
  });
  const reached = () => Promise.reject(Object.assign(new Error(), { code: 'reached' }));
  const parts = {
    repository: { set: reached, preview: reached },
    scratch: { start: reached },
    boxes: { ensure: reached },
    limits: { opens: { take: () => undefined } },
    findUser: reached,
  };
  addRepositoryRoutes(app, parts as unknown as Parameters<typeof addRepositoryRoutes>[1]);
  const call = async (method: 'PUT' | 'POST', path: string, payload: object) =>
    (await app.inject({ method, url: `/v1/environment/repository${path}`, payload })).json().code;
  const url = 'https://git.example.org/a';
  const credential = { kind: 'token', host: 'git.example.org', sealed: 'AAAA' };
  assert.equal(await call('PUT', '', { url }), 'reached');
  for (const offered of [credential, null]) {
    assert.equal(await call('PUT', '', { url, credential: offered }), 'insufficient-scope');
    assert.equal(await call('POST', '/preview', { settings: { url, credential: offered } }), 'insufficient-scope');
  }
  scopes.add('secrets:write');
  assert.equal(await call('PUT', '', { url, credential }), 'reached');
});
