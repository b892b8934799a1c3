import * as vscode from 'vscode';
import type { Fetch } from '../client/apiClient.ts';
import type { OpenSocket } from '../client/socket.ts';
import { logPath } from './logPath.ts';

/** The one log channel of the extension. Its level is set in VS Code ("Developer: Set Log Level…"). */
export type Log = Pick<vscode.LogOutputChannel, 'trace' | 'debug' | 'info' | 'warn' | 'error'>;

export function createLog(): vscode.LogOutputChannel {
  return vscode.window.createOutputChannel('Spoon', { log: true });
}

/** Requests in the log: method, path without what people have named, status, time. Never a header or a body. */
export function loggedFetch(fetch: Fetch, log: Log): Fetch {
  return async (url, init) => {
    const started = performance.now();
    const what = `${init.method ?? 'GET'} ${logPath(url)}`;
    const took = (): string => `${(performance.now() - started).toFixed(1)} ms`;
    try {
      const response = await fetch(url, init);
      log.debug(`${what} ${response.status} ${took()}`);
      return response;
    } catch (error) {
      log.debug(`${what} failed after ${took()}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  };
}

/** Connections in the log: where to, how they ended, and why one never opened. */
export function loggedSocket(openSocket: OpenSocket, log: Log): OpenSocket {
  return (target, events) => {
    const { pathname } = new URL(target.url);
    let isOpen = false;
    return openSocket(target, {
      ...events,
      opened: () => {
        isOpen = true;
        log.debug(`socket ${pathname} open`);
        events.opened();
      },
      closed: (end) => {
        const cause = end.cause instanceof Error ? ` ${end.cause.message}` : '';
        const status = end.status === undefined ? '' : ` status ${end.status}`;
        log[isOpen ? 'debug' : 'info'](
          `socket ${pathname} ${isOpen ? 'closed' : 'refused'} ${end.code}${status}${cause}`,
        );
        events.closed(end);
      },
    });
  };
}
