import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { checkRequest, parseQuery } from './requestChecks.ts';

const rules = { hosts: new Set(['localhost', 'spoon.example']), origins: new Set(['https://vscode.example']) };
const tokenLike = `spn_u_${'a'.repeat(12)}_${'b'.repeat(43)}_cccccc`;

function check(url: string, headers: [string, string][] = [['Host', 'localhost']]): void {
  const lower = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
  checkRequest(
    { url, headers: lower, rawHeaders: headers.flat(), socket: { localAddress: '::ffff:10.1.2.3' } } as IncomingMessage,
    rules,
  );
}

describe('what may talk to the service', () => {
  const hosts: [string, string | undefined][] = [
    ['localhost', undefined],
    ['localhost:3921', undefined],
    ['LOCALHOST.', undefined],
    ['spoon.example', undefined],
    ['10.1.2.3:3921', undefined],
    ['10.1.2.4', 'host-not-allowed'],
    ['evil.test', 'host-not-allowed'],
    ['localhost.evil.test', 'host-not-allowed'],
    ['localhost@evil.test', 'host-not-allowed'],
    ['localhost:80:80', 'host-not-allowed'],
    ['', 'host-not-allowed'],
  ];
  for (const [host, code] of hosts) {
    it(`host ${JSON.stringify(host)}: ${code ?? 'served'}`, () => {
      const run = () => check('/', [['Host', host]]);
      if (code === undefined) run();
      else assert.throws(run, { code });
    });
  }

  it('needs exactly one host', () => {
    assert.throws(() => check('/', []), { code: 'http-invalid' });
    assert.throws(
      () =>
        check('/', [
          ['Host', 'localhost'],
          ['HOST', 'localhost'],
        ]),
      { code: 'http-invalid' },
    );
  });

  it('refuses pages of other origins, and those without one', () => {
    const from = (origin: string) =>
      check('/', [
        ['Host', 'localhost'],
        ['Origin', origin],
      ]);
    from('https://vscode.example');
    for (const origin of ['https://evil.test', 'null', 'https://vscode.example.evil.test', 'http://vscode.example']) {
      assert.throws(() => from(origin), { code: 'origin-not-allowed' });
    }
  });

  for (const url of [
    '/v1/me?token=x',
    '/v1/me?access_token=x',
    '/v1/me?TICKET=x',
    '/v1/me?a=1&api_key=x',
    `/v1/dotfiles/content?path=${tokenLike}`,
    `/v1/terminals/${tokenLike}/attach`,
    `/v1/me?path=%73${tokenLike.slice(1)}`,
  ]) {
    it(`calls ${url.slice(0, 40)} a credential in a URL`, () =>
      assert.throws(() => check(url), { code: 'credential-in-url' }));
  }

  it('does not take a token from a cookie', () => {
    assert.throws(
      () =>
        check('/', [
          ['Host', 'localhost'],
          ['Cookie', `session=${tokenLike}`],
        ]),
      { code: 'credential-in-url' },
    );
  });

  it('refuses compressed requests, too many headers and long addresses', () => {
    const headers = (count: number): [string, string][] => [
      ['Host', 'localhost'],
      ...Array.from({ length: count }, (_, index): [string, string] => [`X-${index}`, '1']),
    ];
    check('/', headers(99));
    assert.throws(() => check('/', headers(100)), { code: 'headers-too-large' });
    assert.throws(() => check(`/${'x'.repeat(9_000)}`), { code: 'url-too-long' });
    assert.throws(
      () =>
        check('/', [
          ['Host', 'localhost'],
          ['Content-Encoding', 'gzip'],
        ]),
      { code: 'content-encoding-unsupported' },
    );
  });
});

describe('a query', () => {
  const cases: [string, Record<string, string | string[]> | undefined][] = [
    ['', {}],
    ['path=.bashrc', { path: '.bashrc' }],
    ['path=a%2Fb%20c+d&x', { path: 'a/b c d', x: '' }],
    ['path=a=b', { path: 'a=b' }],
    ['path=a&path=b', { path: ['a', 'b'] }],
    ['path=%252e', { path: '%2e' }],
    ['path=%c0%ae', undefined],
    ['path=%ff', undefined],
    ['path=%', undefined],
    ['path=%ed%a0%80', undefined],
  ];
  for (const [text, expected] of cases) {
    it(`${JSON.stringify(text)} is decoded once, strictly`, () => {
      const query = parseQuery(text);
      assert.deepEqual(query && { ...query }, expected);
    });
  }

  it('has no prototype to pollute', () => {
    const query = parseQuery('__proto__=x&constructor=y');
    assert.deepEqual(Object.keys(query ?? {}), ['__proto__', 'constructor']);
    assert.equal(Object.getPrototypeOf(query), null);
  });
});
