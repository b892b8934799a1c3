import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type FastifyInstance, fastify, type LightMyRequestResponse } from 'fastify';
import type { Applied } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { frame } from '../../protocol/overlayFrames.ts';
import { toProblem } from '../../protocol/problem.ts';
import { addDotfileRoutes } from './dotfileRoutes.ts';
import type { DotfileChange } from './tellChange.ts';
import { TestUsers } from './testUsers.fixture.ts';

/** The routes in a bare app: who calls comes from a header here, bodies and problems as the service's own app has them. */
export class TestApp {
  readonly users: TestUsers;
  readonly app: FastifyInstance;
  readonly events: SpoonEvent[] = [];
  readonly changes: DotfileChange[] = [];
  state: Applied = { state: 'applied' };

  private constructor(users: TestUsers) {
    this.users = users;
    this.app = fastify();
    this.app.decorateRequest('caller', null);
    this.app.addHook('onRequest', async (request) => {
      const userId = request.headers['test-user'];
      const id = typeof userId === 'string' ? userId : null;
      request.caller = { kind: id ? 'user' : 'admin', userId: id, username: id, tokenId: 't', scopes: new Set() };
    });
    this.app.removeAllContentTypeParsers();
    this.app.addContentTypeParser(
      'application/json',
      { parseAs: 'string' },
      this.app.getDefaultJsonParser('error', 'error'),
    );
    this.app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) =>
      done(null, body),
    );
    this.app.addContentTypeParser('application/x-tar', (_, body, done) => done(null, body));
    this.app.setErrorHandler(async (error, _, reply) => {
      if (!(error instanceof SpoonError)) throw error;
      return reply.code(error.status).send(toProblem(error));
    });
    addDotfileRoutes(this.app, {
      dotfiles: users.dotfiles,
      apply: async (_, change) => {
        this.changes.push(change);
        const paths = [...(change.saved ?? []), ...(change.removed ?? [])];
        return new Map(paths.map((path: HomePath) => [path, this.state]));
      },
      publish: (userId, event) => {
        assert.equal(userId, 'ada');
        this.events.push(event);
      },
    });
  }

  static async open(t: TestContext): Promise<TestApp> {
    const made = new TestApp(await TestUsers.open(t, 'ada', 'bob'));
    t.after(() => made.app.close());
    return made;
  }

  put(query: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    const url = `/v1/dotfiles/content?${query}`;
    const bytes = { 'test-user': 'ada', 'content-type': 'application/octet-stream', ...headers };
    return this.app.inject({ method: 'PUT', url, payload: body, headers: bytes });
  }

  /** Frames of a batch: heads as given, and bytes. */
  batch(files: readonly (readonly [head: unknown, bytes: string])[], headers = {}): Promise<LightMyRequestResponse> {
    const frames = files.flatMap(([head, bytes]) => [
      ...frame(Buffer.from(typeof head === 'string' ? head : JSON.stringify(head))),
      ...frame(Buffer.from(bytes)),
    ]);
    return this.app.inject({
      method: 'POST',
      url: '/v1/dotfiles/batch?origin=import',
      payload: Buffer.concat(frames),
      headers: { 'test-user': 'ada', 'content-type': 'application/octet-stream', ...headers },
    });
  }

  send(method: 'GET' | 'DELETE' | 'POST', url: string, body?: object, headers = {}): Promise<LightMyRequestResponse> {
    const request = { method, url, headers: { 'test-user': 'ada', ...headers } };
    return this.app.inject(body === undefined ? request : { ...request, payload: body });
  }
}

export const codeOf = (response: LightMyRequestResponse): string => `${response.statusCode} ${response.json().code}`;
