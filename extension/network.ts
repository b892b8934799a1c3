import * as vscode from 'vscode';
import type { Fetch } from '../client/apiClient.ts';
import type { OpenSocket } from '../client/socket.ts';
import { SpoonError } from '../protocol/errors.ts';
import { failureText } from './failure.ts';
import { type Log, loggedFetch, loggedSocket } from './outputLog.ts';
import type { Platform } from './platform.ts';
import { setting } from './settings.ts';

/** How this window reaches a service: the platform's ways, logged, with the certificate authorities of the settings. */
export type Network = () => Promise<{ readonly fetch: Fetch; readonly openSocket: OpenSocket }>;

export function networkOf(platform: Platform, log: Log): Network {
  return async () => {
    const { fetch, openSocket } = platform.network(await readCaFile(setting('tls.caFile')));
    return { fetch: loggedFetch(fetch, log), openSocket: loggedSocket(openSocket, log) };
  };
}

/** @throws SpoonError naming the setting, because without the file no connection would be what the person wanted */
async function readCaFile(path: string): Promise<string | undefined> {
  if (path.trim() === '') return undefined;
  try {
    const pem = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.file(path)));
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  } catch (cause) {
    throw new SpoonError('config-invalid', `spoon.tls.caFile: ${path} cannot be read (${failureText(cause)}).`, {
      cause,
    });
  }
  throw new SpoonError('config-invalid', `spoon.tls.caFile: ${path} holds no certificate in PEM form.`);
}
