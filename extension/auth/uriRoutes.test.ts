import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { routeUri } from './uriRoutes.ts';

describe('routeUri', () => {
  it('takes an address to sign in to', () => {
    const url = 'https://spoon.example.org';
    assert.deepEqual(routeUri({ path: '/sign-in', query: `url=${encodeURIComponent(url)}` }), { kind: 'signIn', url });
  });

  const refused: [why: string, path: string, query: string][] = [
    ['a code that nobody waits for', '/callback', 'code=abc'],
    ['a code replayed with a state', '/auth', 'code=abc&state=def'],
    ['a token', '/sign-in', 'url=https%3A%2F%2Fspoon.example.org&token=x'],
    ['a token under another name', '/sign-in', 'url=https%3A%2F%2Fspoon.example.org&q=spn_u_x'],
    ['plain HTTP to another machine', '/sign-in', 'url=http%3A%2F%2Fspoon.example.org'],
    ['another scheme', '/sign-in', 'url=file%3A%2F%2F%2Fetc%2Fpasswd'],
    ['a command', '/run', 'command=rm'],
    ['a thread', '/thread/api/main', ''],
    ['no address', '/sign-in', ''],
    ['something beside the address', '/sign-in', 'url=https%3A%2F%2Fspoon.example.org&open=1'],
  ];
  for (const [why, path, query] of refused) {
    it(`refuses ${why}`, () => assert.equal(routeUri({ path, query }).kind, 'refused'));
  }

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (path, query) => {
        routeUri({ path, query });
        routeUri({ path: '/sign-in', query: `url=${query}` });
      }),
    );
  });
});
