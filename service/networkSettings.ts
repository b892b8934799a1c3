import { isIP, isIPv4 } from 'node:net';

/** Where boxes' packets go. */
export interface NetworkSettings {
  /** Name servers for boxes; empty: Docker's choice. */
  readonly dns: readonly string[];
  /** Docker's network namespace, where it is another one than the service's: a path such as `/proc/1/ns/net`. */
  readonly namespace: string | undefined;
}

/** The first that is no IPv4 address: boxes have no other. */
export function wrongResolver(addresses: readonly string[]): string | undefined {
  return addresses.find((address) => !isIPv4(address));
}

export function isNamespacePath(path: string): boolean {
  return /^\/[A-Za-z0-9._/-]{1,255}$/.test(path);
}

/** An address, or one with a prefix length. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
