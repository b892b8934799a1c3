import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { peerAddress, trustOf } from './peerAddress.ts';

const trusted = trustOf(['10.0.0.0/8', '::1', '192.0.2.7']);
const addressOf = (remoteAddress: string, forwarded?: string) =>
  peerAddress(
    { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } } as never as IncomingMessage,
    trusted,
  );

describe('the address of who connects', () => {
  for (const [what, peer, forwarded, found] of [
    ['is that of the connection', '203.0.113.9', undefined, '203.0.113.9'],
    ['is never what a stranger says (row 43)', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['is what a proxy says', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
    [
      'is what the outermost proxy says, and not what was said to it',
      '10.1.2.3',
      '6.6.6.6, 198.51.100.1, 192.0.2.7',
      '198.51.100.1',
    ],
    ['is the proxy’s own where it says nothing', '::1', undefined, '::1'],
    ['is the proxy’s own where it says nonsense', '10.1.2.3', 'unknown', '10.1.2.3'],
    ['is plain where IPv4 comes over IPv6', '::ffff:10.1.2.3', '::ffff:198.51.100.1', '198.51.100.1'],
  ] as const) {
    it(what, () => assert.equal(addressOf(peer, forwarded), found));
  }
});
