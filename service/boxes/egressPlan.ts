import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import type { EgressPlan } from '../../protocol/egress.ts';

export interface EgressSettings {
  /** `SPOON_GIT_HOSTS`: `host` or `host:port`. */
  readonly gitHosts: readonly string[];
  /** `SPOON_AGENT_DNS`; empty: those of this machine. */
  readonly dns: readonly string[];
}

/** What boxes may reach now. A name that means nothing at the moment opens nothing; it is asked again with the next plan. */
export async function planEgress(instance: string, { gitHosts, dns }: EgressSettings): Promise<EgressPlan> {
  const open = await Promise.all(gitHosts.map(addressesOf));
  return { instance, open: open.flat(), resolvers: dns.length > 0 ? dns.filter(isIPv4) : await systemResolvers() };
}

async function addressesOf(place: string): Promise<EgressPlan['open']> {
  // Boxes have no IPv6.
  if (place.startsWith('[')) return [];
  const [host = '', port = '443'] = place.split(':');
  try {
    const found = await lookup(host, { all: true, family: 4 });
    return found.map(({ address }) => ({ address, port: Number(port) }));
  } catch {
    return [];
  }
}

/** Docker hands these on to boxes. One on the loopback is asked by Docker itself, from this machine. */
async function systemResolvers(): Promise<string[]> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const named = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
  return named.filter((address) => isIPv4(address) && !address.startsWith('127.')).slice(0, 16);
}
