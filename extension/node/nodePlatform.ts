import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import type { Platform } from '../platform.ts';
import { fetchTrusting } from './fetchTrusting.ts';
import { nodeDisk } from './nodeDisk.ts';
import { nodeDocker } from './nodeDocker.ts';
import { nodeSocketOpener } from './nodeSocket.ts';

export const nodePlatform: Platform = {
  network: (caPem) => ({
    // VS Code's own fetch knows the proxy settings and the system's certificates; it cannot be given more of these.
    fetch: caPem === undefined ? (url, init) => fetch(url, init) : fetchTrusting(caPem),
    openSocket: nodeSocketOpener(caPem),
  }),
  async handedSignIn() {
    const file = process.env.SPOON_SIGN_IN_FILE;
    if (file === undefined || file === '') return undefined;
    const handed: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof handed !== 'object' || handed === null || !('url' in handed) || !('token' in handed)) return undefined;
    return { url: String(handed.url), token: String(handed.token) };
  },
  disk: nodeDisk,
  docker: nodeDocker,
  parseEnv(text) {
    const entries = Object.entries(parseEnv(text));
    return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  },
};
