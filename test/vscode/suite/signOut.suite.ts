import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { Sessions } from '../../../extension/auth/sessions.ts';
import { CurrentConnection } from '../../../extension/connection/currentConnection.ts';
import type { TestView } from '../../../extension/extension.ts';
import { nodePlatform } from '../../../extension/node/nodePlatform.ts';
import { SpoonError } from '../../../protocol/errors.ts';
import { formatToken } from '../../../protocol/tokenFormat.ts';
import type { ProtocolService } from '../../fixtures/protocolService.fixture.ts';
import { scriptedService, scriptedUser, scriptedToken as token } from './scriptedService.ts';
import { activate, until } from './window.ts';

describe('signing out', () => {
  let view: TestView;
  let service: ProtocolService;

  beforeEach(async () => {
    view = await activate();
    await view.current.ready;
    service = await scriptedService();
    service.answer('revokeToken', () => undefined);
  });
  afterEach(async () => {
    await view.sessions.remove(service.url);
    await until('signed out of it', () => view.current.connection?.session.url !== service.url);
    await service[Symbol.asyncDispose]();
  });

  const connect = async (signedInUntilMs?: number): Promise<void> => {
    const session = await view.signInWith({ url: service.url, token });
    if (signedInUntilMs !== undefined) await view.sessions.store({ ...session, signedInUntilMs });
    await view.current.follow();
    await until('this service is used', () => view.current.connection?.session.url === service.url);
    await until('connected', () => view.current.state.name === 'connected');
  };
  const revoked = () => service.received.filter(({ name }) => name === 'revokeToken');
  const signOut = () => vscode.commands.executeCommand('spoon.signOut');
  const inAMonth = () => Date.now() + 30 * 86_400_000;

  it('ends the token that the sign-in has made', async () => {
    await connect(inAMonth());
    let wasThere: unknown = 'not asked';
    service.answer('revokeToken', async () => {
      wasThere = await view.sessions.get(service.url);
      return undefined;
    });
    await signOut();
    assert.deepEqual(
      revoked().map(({ params, headers }) => [params.id, headers.authorization]),
      [['a'.repeat(12), `Bearer ${token}`]],
    );
    assert.equal(wasThere, undefined, 'forgotten first: no window then takes the end for a refusal');
  });

  it('leaves no token of an administrator, here or at the service', async () => {
    service.answer('me', () => ({ kind: 'user', user: { ...scriptedUser, admin: true }, scopes: [] }));
    await connect();
    const session = await view.sessions.get(service.url);
    assert.ok(session);
    const id = 'b'.repeat(12);
    await view.adminTokens.store(session, formatToken({ kind: 'a', id, secret: 'c'.repeat(43) }));
    await signOut();
    assert.equal(await view.adminTokens.get(session), undefined);
    assert.deepEqual(
      revoked().map(({ params }) => params.id),
      [id],
    );
  });

  it('ends it from the Accounts menu too', async () => {
    await connect(inAMonth());
    const account = (await view.accounts.getSessions()).find(({ accessToken }) => accessToken === token);
    await view.accounts.removeSession(account?.id ?? '');
    assert.equal(revoked().length, 1);
    assert.equal(await view.sessions.get(service.url), undefined);
  });

  it('leaves one alone that was pasted, handed over, or stored before', async () => {
    await connect();
    await signOut();
    assert.equal(await view.sessions.get(service.url), undefined);
    assert.deepEqual(revoked(), []);
  });

  it('is done also when the service does not answer', async () => {
    await connect(inAMonth());
    await service.pause();
    await signOut();
    assert.equal(await view.sessions.get(service.url), undefined);
    assert.notEqual(view.current.connection?.session.url, service.url);
    await service.resume();
  });

  it('is not a refusal in a window that hears of it late', async () => {
    const session = await view.signInWith({ url: service.url, token });
    const kept = new Map<string, string>();
    const { event: onDidChange } = new vscode.EventEmitter<vscode.SecretStorageChangeEvent>();
    const sessions = new Sessions({
      onDidChange,
      keys: async () => [...kept.keys()],
      get: async (key) => kept.get(key),
      store: async (key, value) => void kept.set(key, value),
      delete: async (key) => void kept.delete(key),
    });
    await sessions.store(session);
    const network = async () => nodePlatform.network(undefined);
    const log = vscode.window.createOutputChannel('late window', { log: true });
    const window = new CurrentConnection({ sessions, network, log });
    try {
      const refusals: unknown[] = [];
      window.onDidRefuse((refusal) => refusals.push(refusal));
      await window.ready;
      await until('connected', () => window.state.name === 'connected');
      await sessions.remove(service.url);
      for (const name of ['createTicket', 'listDotfiles', 'box'] as const) {
        service.answer(name, () => {
          throw new SpoonError('unauthenticated');
        });
      }
      for (const socket of service.sockets) socket.close(4001);
      await until('signed out', () => window.state.name === 'signedOut' || refusals.length > 0);
      assert.deepEqual(refusals, []);
    } finally {
      window.dispose();
      sessions.dispose();
      log.dispose();
    }
  });
});
