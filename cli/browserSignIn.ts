import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '../client/apiClient.ts';
import { SpoonError } from '../protocol/errors.ts';
import { routes } from '../protocol/routes.ts';
import { type CommandLine, UsageError } from './commandLine.ts';

/** Signing in without a token at hand: by a browser on this machine, or by a code that is typed into one elsewhere. */

const waitMs = 10 * 60_000;

/** Whether a browser can be expected to open here and to reach this machine by 127.0.0.1. */
export function hasBrowser({ env }: CommandLine): boolean {
  if (env.SSH_CONNECTION || env.SSH_TTY) return false;
  return process.platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY || env.BROWSER);
}

/**
 * Authorization code with PKCE; the browser comes back to a port of 127.0.0.1 that only this process listens on.
 * @returns the token
 * @throws UsageError when nobody comes back within ten minutes; SpoonError `sign-in-code-invalid`
 */
export async function signInByBrowser(line: CommandLine, url: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(24).toString('base64url');
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const query = new URLSearchParams({
      redirect_uri: redirectUri,
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      client_name: clientName(),
    });
    const address = `${url}${routes.signInPage.path}?${query}`;
    line.note('Sign in with your browser. If it does not open, go to:');
    line.note(address);
    openBrowser(line, address);
    const code = await new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new UsageError('Nobody signed in within ten minutes.')), waitMs);
      late.unref();
      server.on('request', ({ url: path = '' }, response) => {
        const given = new URL(path, redirectUri).searchParams;
        // Any page can make a browser come here; only the one that was asked knows the state.
        if (given.get('state') !== state) return answer(response, 404, 'This is not a sign-in that was asked for.');
        answer(response, 200, 'Signed in. This page can be closed.');
        resolve(given.get('code') ?? '');
      });
    });
    return (await clientOf(url).call('exchangeCode', { body: { code, codeVerifier: verifier, redirectUri } })).token;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** @returns the token @throws SpoonError `sign-in-denied`, `sign-in-code-invalid` when the code has expired */
export async function signInByCode(line: CommandLine, url: string): Promise<string> {
  const api = clientOf(url);
  const { deviceCode, userCode, path, intervalMs } = await api.call('requestDeviceCode', {
    body: { clientName: clientName() },
  });
  line.note(`On any machine, open ${url}${path} and type the code ${userCode}`);
  for (let pauseMs = intervalMs; ; ) {
    await delay(pauseMs);
    try {
      return (await api.call('exchangeDeviceCode', { body: { deviceCode } })).token;
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      if (error.code === 'slow-down') pauseMs += intervalMs;
      else if (error.code !== 'sign-in-pending') throw error;
    }
  }
}

function clientOf(url: string): ApiClient {
  return new ApiClient({ url, token: () => undefined, clientId: 'spoonctl-login', fetch });
}

function clientName(): string {
  return `spoonctl on ${hostname()}`.slice(0, 100);
}

function answer(response: ServerResponse, status: number, text: string): void {
  const headers = { 'content-type': 'text/plain; charset=utf-8', connection: 'close', 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(`${text}\n`);
}

/** Whether it works is not known: some openers end at once, some stay. The address is on the screen either way. */
function openBrowser({ env }: CommandLine, address: string): void {
  const opener = env.BROWSER || (process.platform === 'darwin' ? 'open' : 'xdg-open');
  const child = spawn(opener, [address], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
