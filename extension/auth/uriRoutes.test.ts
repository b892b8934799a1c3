import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AwaitedCodes } from './awaitedCodes.ts';
import { challengeOf, randomText } from './pkce.ts';
import { routeUri as routeUriOf } from './uriRoutes.ts';

const routeUri = (uri: { path: string; query: string }) => routeUriOf(uri, () => false);

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

  it('takes a code of a sign-in that this window waits for, once', async () => {
    const codes = new AwaitedCodes();
    const waiting = codes.wait('def', new AbortController().signal);
    const link = { path: '/auth', query: 'code=abc&state=def' };
    const isAwaited = (state: string) => codes.has(state);
    assert.deepEqual(routeUriOf(link, isAwaited), { kind: 'code', state: 'def', code: 'abc' });
    for (const query of ['code=abc&state=other', 'code=abc', 'state=def', 'code=abc&state=def&x=1']) {
      assert.equal(routeUriOf({ path: '/auth', query }, isAwaited).kind, 'refused');
    }
    assert.equal(routeUriOf({ ...link, path: '/callback' }, isAwaited).kind, 'refused');
    codes.finish('def', 'abc');
    assert.equal(await waiting, 'abc');
    assert.equal(routeUriOf(link, isAwaited).kind, 'refused');
  });

  it('waits no longer than the person does', async () => {
    const codes = new AwaitedCodes();
    const leaving = new AbortController();
    const waiting = codes.wait('def', leaving.signal);
    leaving.abort(new Error('left'));
    await assert.rejects(waiting, /left/);
    assert.equal(codes.has('def'), false);
  });

  it('challenges as RFC 7636 appendix B does', async () => {
    const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
    assert.equal(await challengeOf(verifier), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
    assert.match(randomText(), /^[A-Za-z0-9_-]{43}$/);
    assert.notEqual(randomText(), randomText());
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (path, query) => {
        routeUri({ path, query });
        routeUri({ path: '/sign-in', query: `url=${query}` });
      }),
    );
  });
});
