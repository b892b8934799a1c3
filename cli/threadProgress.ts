import type { ApiClient } from '../client/apiClient.ts';
import { EventStream } from '../client/eventStream.ts';
import type { CheckoutProgress } from '../protocol/threads.ts';
import type { CommandLine } from './commandLine.ts';
import { openNodeSocket } from './nodeSocket.ts';

const words: Readonly<Record<CheckoutProgress['phase'], string>> = {
  'starting-box': 'Starting your box',
  connecting: 'Asking the repository',
  receiving: 'Receiving',
  resolving: 'Unpacking',
  'checking-out': 'Checking out',
};

/** One line that is rewritten, of what this very spoonctl waits for. */
export function showProgress({ stderr }: CommandLine, api: ApiClient): { close(): void } {
  let shown = false;
  const stream = new EventStream({
    api,
    openSocket: openNodeSocket,
    listener: {
      onGap: () => undefined,
      onEvent: (event) => {
        if (event.type !== 'thread.progress' || event.clientId !== api.clientId) return;
        shown = true;
        stderr.write(`\r\u001b[2K${progressText(event.progress)}`);
      },
    },
  });
  stream.connect();
  return {
    close: () => {
      stream.close();
      if (shown) stderr.write('\r\u001b[2K');
    },
  };
}

export function progressText({ phase, percent, receivedBytes }: CheckoutProgress): string {
  const share = percent === null ? '…' : ` ${percent} %`;
  const size = receivedBytes === null || phase !== 'receiving' ? '' : `, ${(receivedBytes / 2 ** 20).toFixed(1)} MiB`;
  return `${words[phase]}${share}${size}`;
}
