import { isIPv6 } from 'node:net';

/** Of IPv6, what one customer has (a /56): the rest of an address costs nothing. */
export function networkOf({ ip }: { readonly ip: string }): string {
  if (!isIPv6(ip) || ip.startsWith('::ffff:')) return ip;
  const [head = '', tail = ''] = ip.split('::');
  const groups = head.split(':').filter(Boolean);
  const after = tail.split(':').filter(Boolean);
  const all = [...groups, ...Array<string>(Math.max(0, 8 - groups.length - after.length)).fill('0'), ...after];
  return [...all.slice(0, 3), (all[3] ?? '0').padStart(4, '0').slice(0, 2)].join(':');
}
