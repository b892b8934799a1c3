import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import { SpoonError } from '../protocol/errors.ts';
import type { CertificateFiles } from './http/certificate.ts';
import { isNetwork } from './networkSettings.ts';
import { readPublicUrl } from './publicUrl.ts';

/** Where the service listens, and who may talk to it. */

export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system pick one. */
  readonly port: number;
}

/** Who may talk to the service, before any token is looked at. */
export interface AccessSettings {
  /** Host names, lower case, without a port. */
  readonly hosts: ReadonlySet<string>;
  /** Origins of web pages, such as `https://vscode.example`. */
  readonly origins: ReadonlySet<string>;
  /** Addresses and networks whose `X-Forwarded-*` headers count. */
  readonly trustedProxies: readonly string[];
  /** Where people reach the service; undefined: where it listens. */
  readonly publicUrl: string | undefined;
}

type Get = (name: string) => string | undefined;

/** What `config.ts` reads all settings with. */
interface Reading {
  readonly get: Get;
  readonly cwd: string;
  readonly refuse: (name: string, given: string, accepted: string) => never;
  readonly readList: (given: string | undefined) => string[];
}

/** @throws SpoonError `config-invalid` */
export function readAccessSettings(reading: Reading): {
  listen: ListenAddress;
  metricsListen: ListenAddress | undefined;
  access: AccessSettings;
  tls: CertificateFiles | undefined;
} {
  const { get } = reading;
  const listen = readListen(reading, 'SPOON_LISTEN', get('SPOON_LISTEN') ?? '127.0.0.1:3921');
  const forMetrics = get('SPOON_METRICS_LISTEN');
  const metricsListen = forMetrics === undefined ? undefined : readListen(reading, 'SPOON_METRICS_LISTEN', forMetrics);
  const access = readAccess(reading, listen);
  const tls = readTls(reading);
  const isProtected = tls !== undefined || access.trustedProxies.length > 0;
  checkPlainHttp(reading, get('SPOON_INSECURE_HTTP'), { listen, isProtected });
  return { listen, metricsListen, access, tls };
}

function readListen({ refuse }: Reading, name: string, given: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(given.trim());
  const port = Number(match?.[3]);
  const literal = match?.[1];
  if (match === null || port > 65_535 || (literal !== undefined && isIP(literal) !== 6)) {
    refuse(name, given, 'host:port, such as 127.0.0.1:3921 or [::1]:3921, with a port from 0 to 65535');
  }
  const host = literal ?? match?.[2] ?? '';
  // One address and not two: a name that means ::1 and 127.0.0.1 would make two servers.
  return { host: host === 'localhost' ? '127.0.0.1' : host, port };
}

function readAccess({ get, refuse, readList }: Reading, listen: ListenAddress): AccessSettings {
  const hosts = new Set(['localhost', '127.0.0.1', '::1', listen.host.toLowerCase()]);
  for (const name of readList(get('SPOON_ALLOWED_HOSTS'))) {
    if (!/^[A-Za-z0-9.-]{1,253}$/.test(name) && isIP(name) !== 6) {
      refuse('SPOON_ALLOWED_HOSTS', name, 'host names without a port, separated by commas');
    }
    hosts.add(name.toLowerCase());
  }
  const origins = new Set<string>();
  for (const item of readList(get('SPOON_ALLOWED_ORIGINS'))) {
    const origin = URL.canParse(item) ? new URL(item).origin : 'null';
    if (origin === 'null' || origin !== item) {
      refuse('SPOON_ALLOWED_ORIGINS', item, 'origins such as https://vscode.example, separated by commas');
    }
    origins.add(origin);
  }
  const trustedProxies = readList(get('SPOON_TRUSTED_PROXIES'));
  for (const item of trustedProxies) {
    if (!isNetwork(item)) {
      refuse(
        'SPOON_TRUSTED_PROXIES',
        item,
        'addresses or networks such as 10.0.0.7 or 10.0.0.0/24, separated by commas',
      );
    }
  }
  const given = get('SPOON_PUBLIC_URL');
  const publicUrl = given === undefined ? undefined : readPublicUrl(given);
  if (given !== undefined && publicUrl === undefined) refuse('SPOON_PUBLIC_URL', given, 'https://spoon.example.org');
  if (publicUrl !== undefined) hosts.add(new URL(publicUrl).hostname);
  return { hosts, origins, trustedProxies, publicUrl };
}

/** Tokens in plain HTTP leave this machine only behind a proxy that is named, or by an explicit word. */
function checkPlainHttp(
  { refuse }: Reading,
  insecure: string | undefined,
  { listen, isProtected }: { listen: ListenAddress; isProtected: boolean },
): void {
  if (insecure !== undefined && insecure !== '0' && insecure !== '1') {
    refuse('SPOON_INSECURE_HTTP', insecure, '0 or 1');
  }
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8);
  loopback.addAddress('::1', 'ipv6');
  const family = isIP(listen.host);
  const local = family !== 0 && loopback.check(listen.host, family === 6 ? 'ipv6' : 'ipv4');
  if (!local && insecure !== '1' && !isProtected) {
    refuse(
      'SPOON_LISTEN',
      listen.host,
      'a loopback address; for another one set SPOON_TLS_CERT and SPOON_TLS_KEY, put a TLS proxy in front and name it in ' +
        'SPOON_TRUSTED_PROXIES, ' +
        'or set SPOON_INSECURE_HTTP=1 to send tokens unencrypted',
    );
  }
}

/** Both files or neither. */
function readTls({ get, cwd }: Reading): CertificateFiles | undefined {
  const [certFile, keyFile] = [get('SPOON_TLS_CERT'), get('SPOON_TLS_KEY')];
  if (certFile !== undefined && keyFile !== undefined) {
    return { certFile: resolve(cwd, certFile), keyFile: resolve(cwd, keyFile) };
  }
  if (certFile === undefined && keyFile === undefined) return undefined;
  const [set, missing] =
    keyFile === undefined ? ['SPOON_TLS_CERT', 'SPOON_TLS_KEY'] : ['SPOON_TLS_KEY', 'SPOON_TLS_CERT'];
  throw new SpoonError('config-invalid', `${set} is set and ${missing} is not. Accepted: both or neither.`);
}
