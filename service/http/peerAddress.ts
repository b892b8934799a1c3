import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

const mapped = /^::ffff:(?=\d+\.)/;

/** Whose `X-Forwarded-For` counts. @param proxies addresses and networks, such as `10.0.0.0/8` */
export function trustOf(proxies: readonly string[]): BlockList {
  const trusted = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  return trusted;
}

/** For upgrades, which the framework never sees: the same address that it finds for a request. */
export function peerAddress({ socket, headers }: IncomingMessage, trusted: BlockList): string {
  const named = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  let address = socket.remoteAddress ?? '';
  while (isTrusted(address, trusted)) {
    const next = named.pop()?.trim() ?? '';
    if (isIP(next) === 0) break;
    address = next;
  }
  return address.replace(mapped, '');
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const plain = address.replace(mapped, '');
  return isIP(plain) !== 0 && trusted.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}
