import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from './errors.ts';
import { checkRepositoryUrl } from './repositoryUrl.ts';

const accepted: [string, string][] = [
  ['https://github.com/a/b', 'https://github.com/a/b'],
  ['https://github.com/a/b.git', 'https://github.com/a/b.git'],
  ['https://github.com/a/b/', 'https://github.com/a/b'],
  ['HTTPS://GitHub.com:443/A/b', 'https://github.com/A/b'],
  ['https://git.example.org/~ada/x%20y.git', 'https://git.example.org/~ada/x%20y.git'],
  ['https://1.1.1.1/a', 'https://1.1.1.1/a'],
  ['https://[2606:4700::1111]/a', 'https://[2606:4700::1111]/a'],
  ['https://bücher.example/a', 'https://xn--bcher-kva.example/a'],
  ['https://internal.example/a', 'https://internal.example/a'],
];

const refused: [code: string, url: string][] = [
  // Row 77
  ['url-invalid', '--upload-pack=touch x'],
  ['url-invalid', '-u/bin/sh'],
  // Row 78
  ['url-scheme', 'ext::sh -c id'],
  ['url-scheme', 'fd::17'],
  ['url-scheme', 'file:///etc'],
  ['url-scheme', '/etc'],
  ['url-scheme', '../x'],
  // Row 79
  ['url-scheme', 'ssh://-oProxyCommand=x/y'],
  ['url-scheme', 'git@host:a/b'],
  ['url-scheme', 'git://github.com/a/b'],
  ['url-scheme', 'http://github.com/a/b'],
  ['url-scheme', 'https:github.com/a/b'],
  ['url-scheme', ' https://github.com/a/b'],
  // Row 80
  ['url-credentials', 'https://user:tok@github.com/a/b'],
  ['url-credentials', 'https://tok@github.com/a/b'],
  ['url-credentials', 'https://@github.com/a/b'],
  ['url-credentials', 'https://:@github.com/a/b'],
  // Row 81
  ['url-host', 'https://169.254.169.254/a'],
  ['url-host', 'https://[::ffff:169.254.169.254]/a'],
  ['url-host', 'https://2852039166/a'],
  ['url-host', 'https://0xA9FEA9FE/a'],
  ['url-host', 'https://0177.1/a'],
  ['url-host', 'https://metadata.google.internal/a'],
  ['url-host', 'https://metadata.google.internal./a'],
  ['url-host', 'https://localhost/a'],
  ['url-host', 'https://LOCALHOST/a'],
  ['url-host', 'https://x.localhost/a'],
  ['url-host', 'https://printer.local/a'],
  ['url-host', 'https://router.home.arpa/a'],
  ['url-host', 'https://git/a'],
  ['url-host', 'https://0/a'],
  ['url-host', 'https://10.1.2.3/a'],
  ['url-host', 'https://100.64.0.1/a'],
  ['url-host', 'https://127.0.0.1/a'],
  ['url-host', 'https://172.31.255.255/a'],
  ['url-host', 'https://192.168.1.1:443/a'],
  ['url-host', 'https://198.18.0.1/a'],
  ['url-host', 'https://224.0.0.1/a'],
  ['url-host', 'https://255.255.255.255/a'],
  ['url-host', 'https://[::]/a'],
  ['url-host', 'https://[::1]/a'],
  ['url-host', 'https://[fe80::1]/a'],
  ['url-host', 'https://[fd00::1]/a'],
  ['url-host', 'https://[ff02::1]/a'],
  ['url-host', 'https://[64:ff9b::a9fe:a9fe]/a'],
  ['url-host', 'https://[2002:a9fe:a9fe::]/a'],
  ['url-host', 'https://[2001:db8::1]/a'],
  ['url-host', 'https://127.0.0.1:8443/a'],
  ['url-port', 'https://github.com:8443/a'],
  ['url-port', 'https://github.com:80/a'],
  ['url-invalid', ''],
  ['url-invalid', 'https://'],
  ['url-invalid', 'https://github.com'],
  ['url-invalid', 'https://github.com/'],
  ['url-invalid', 'https://github.com/a b'],
  ['url-invalid', 'https://github.com/a\nb'],
  ['url-invalid', 'https://github.com/a%0ab'],
  ['url-invalid', 'https://github.com\\a'],
  ['url-invalid', 'https://github.com/a?token=x'],
  ['url-invalid', 'https://github.com/a?'],
  ['url-invalid', 'https://github.com/a#main'],
  ['url-invalid', 'https://github.com:99999/a'],
  ['url-invalid', 'https://exa mple.org/a'],
  ['url-invalid', 'https://github.com/\ud800'],
  ['url-invalid', `https://github.com/${'a'.repeat(2048)}`],
];

describe('checkRepositoryUrl', () => {
  for (const [given, expected] of accepted) {
    it(`takes ${given}`, () => assert.equal(checkRepositoryUrl(given), expected));
  }
  for (const [code, given] of refused) {
    it(`refuses ${JSON.stringify(given.slice(0, 60))} as ${code}`, () => {
      assert.throws(
        () => checkRepositoryUrl(given),
        (error) => error instanceof SpoonError && error.code === code,
      );
    });
  }

  it('never quotes a credential', () => {
    for (const url of ['https://user:hunter2@github.com/a', 'http://user:hunter2@github.com/a']) {
      assert.throws(
        () => checkRepositoryUrl(url),
        (error: Error) => !error.message.includes('hunter2'),
      );
    }
  });

  it('takes what the operator lists, with that port only', () => {
    const listed = ['git.internal', '10.0.0.5:3000', 'localhost:8443'];
    assert.equal(checkRepositoryUrl('https://git.internal/a', listed), 'https://git.internal/a');
    assert.equal(checkRepositoryUrl('https://10.0.0.5:3000/a', listed), 'https://10.0.0.5:3000/a');
    for (const url of ['https://git.internal:8443/a', 'https://10.0.0.5/a', 'https://localhost/a']) {
      assert.throws(() => checkRepositoryUrl(url, listed), { code: 'url-host' });
    }
    assert.throws(() => checkRepositoryUrl('http://git.internal/a', listed), { code: 'url-scheme' });
  });

  it('throws nothing but its own errors, and gives out only addresses that it takes again', () => {
    const parts = [
      'https://',
      'a',
      '.',
      ':',
      '/',
      '@',
      '%',
      '[',
      ']',
      '?',
      '#',
      '\\',
      ' ',
      '-',
      '1',
      '::',
      '0x',
      'é',
      '\0',
    ];
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    for (let run = 0; run < 20_000; run++) {
      const text = `https://${Array.from({ length: next(12) }, () => parts[next(parts.length)]).join('')}`;
      try {
        const url = checkRepositoryUrl(text);
        assert.equal(checkRepositoryUrl(url), url);
      } catch (error) {
        assert.ok(error instanceof SpoonError, text);
      }
    }
  });
});
