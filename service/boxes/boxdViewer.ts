import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { SpoonError } from '../../protocol/errors.ts';
import { boxdHeadTimeoutMs, maxFrameBytes } from '../../protocol/limits.ts';

/**
 * A WebSocket to one terminal of a box whose messages are read here, for viewers who are not the box's owner. What a box says
 * is bounded as what a client says.
 * @throws SpoonError `not-found`, `box-unavailable`
 */
export async function openViewer(socket: Duplex, id: string): Promise<WebSocket> {
  const webSocket = new WebSocket(`ws://boxd/v1/terminals/${encodeURIComponent(id)}/attach`, {
    createConnection: () => socket,
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: maxFrameBytes,
    handshakeTimeout: boxdHeadTimeoutMs,
  });
  const refused = Promise.withResolvers<never>();
  webSocket.once('unexpected-response', (_request, response) => {
    refused.reject(new SpoonError(response.statusCode === 404 ? 'not-found' : 'box-unavailable'));
    socket.destroy();
  });
  webSocket.on('error', (cause) => refused.reject(new SpoonError('box-unavailable', undefined, { cause })));
  await Promise.race([once(webSocket, 'open'), refused.promise]);
  return webSocket;
}
