import type { ApiClient } from '../../client/apiClient.ts';
import { networkFailure } from '../../client/networkFailure.ts';
import type { SocketEnd } from '../../client/socket.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { openNodeSocket } from '../nodeSocket.ts';

const patienceMs = 10_000;
const advice = 'Where a proxy stands before the service, it has to pass WebSockets on, and the Host header with them.';

/**
 * Opens the socket of events, as terminals open theirs, and waits for the first message: a proxy may take the connection and
 * pass nothing on.
 * @throws SpoonError `service-unreachable`, and what a ticket is refused with
 */
export async function openOneSocket(api: ApiClient): Promise<void> {
  const { ticket } = await api.call('createTicket', { body: { kind: 'events' } });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.close();
      reject(new SpoonError('service-unreachable', `Its WebSocket said nothing for ${patienceMs / 1000} s. ${advice}`));
    }, patienceMs);
    const socket = openNodeSocket(
      { url: api.socketUrl('events', {}), ticket },
      {
        opened: () => undefined,
        message: () => {
          clearTimeout(timer);
          socket.close();
          resolve();
        },
        closed: (end) => {
          clearTimeout(timer);
          reject(reasonOf(api.host, end));
        },
      },
    );
  });
}

function reasonOf(host: string, { status, cause, code }: SocketEnd): SpoonError {
  if (status !== undefined) {
    const detail = `${host} answers, but its WebSocket is refused with ${status}. ${advice}`;
    return new SpoonError('service-unreachable', detail);
  }
  if (cause !== undefined) return networkFailure(`The WebSocket of ${host}`, cause);
  return new SpoonError('service-unreachable', `Its WebSocket was closed at once (${code}). ${advice}`);
}
