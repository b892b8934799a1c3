import { formatToken } from '../../../protocol/tokenFormat.ts';
import { health, ProtocolService } from '../../fixtures/protocolService.fixture.ts';

export const scriptedToken = formatToken({ kind: 'u', id: 'a'.repeat(12), secret: 'b'.repeat(43) });

export const scriptedUser = { id: 'u1', username: 'eve', displayName: 'Eve', createdMs: 0, disabled: false };

export const scriptedBox = {
  state: 'stopped',
  engine: 'none',
  username: 'eve',
  home: '/home/eve',
  startedMs: null,
  holders: [],
  stopsAtMs: null,
  stages: [],
};

/** A service of which the test decides what it says. */
export async function scriptedService(): Promise<ProtocolService> {
  const service = await ProtocolService.start();
  service.answer('me', () => ({ kind: 'user', user: scriptedUser, scopes: [] }));
  service.answer('box', () => scriptedBox);
  service.answer('listDotfiles', () => ({ dotfiles: [] }));
  service.answer('dotfileDrift', () => ({ watching: false, drifts: [] }));
  service.attach('events', (socket) => socket.send(JSON.stringify({ type: 'hello', instanceId: health.instanceId })));
  return service;
}
