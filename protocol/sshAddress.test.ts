import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from './errors.ts';
import { expandRepositoryAddress } from './repositoryAddress.ts';
import { checkDotfilesAddress } from './sshAddress.ts';

const check = (typed: string, hosts: readonly string[] = []) =>
  checkDotfilesAddress(expandRepositoryAddress(typed), hosts);

describe('an address with ssh', () => {
  for (const [typed, normal] of [
    ['git@github.com:ada/dotfiles', 'ssh://git@github.com/ada/dotfiles'],
    ['git@github.com:ada/dotfiles.git', 'ssh://git@github.com/ada/dotfiles.git'],
    ['ssh://github.com/ada/dotfiles', 'ssh://git@github.com/ada/dotfiles'],
    ['ssh://git@GitHub.com:22/ada/dotfiles', 'ssh://git@github.com/ada/dotfiles'],
    ['git@git.example.org:~ada/dots', 'ssh://git@git.example.org/~ada/dots'],
  ] as const) {
    it(`${typed} is ${normal}`, () => assert.equal(check(typed), normal));
  }

  it('on a private address or another port is the operator’s to allow', () => {
    assert.equal(check('ssh://git@10.1.2.3:2222/x', ['10.1.2.3:2222']), 'ssh://git@10.1.2.3:2222/x');
    assert.equal(check('git@10.1.2.3:x', ['10.1.2.3:22']), 'ssh://git@10.1.2.3/x');
  });

  for (const [typed, code] of [
    ['ssh://-oProxyCommand=x/y', 'url-invalid'],
    ['ssh://git@-oProxyCommand=x/y', 'url-invalid'],
    ['ssh://-git@github.com/y', 'url-invalid'],
    ['ssh://git:password@github.com/y', 'url-invalid'],
    ['ssh://git@github.com/-y', 'url-invalid'],
    ['ssh://git@github.com/a/../b', 'url-invalid'],
    ['ssh://git@github.com/a b', 'url-invalid'],
    ['ssh://git@github.com/a$(id)', 'url-invalid'],
    ['ssh://git@github.com/a;id', 'url-invalid'],
    ['ssh://git@github.com/', 'url-invalid'],
    ['ssh://git@169.254.169.254/x', 'url-host'],
    ['ssh://git@2852039166/x', 'url-host'],
    ['ssh://git@0x7f.1/x', 'url-host'],
    ['git@localhost:x', 'url-host'],
    ['ssh://git@github.com:2222/x', 'url-port'],
    ['ssh://git@10.1.2.3:22/x', 'url-host'],
    ['git://github.com/x', 'url-scheme'],
  ] as const) {
    it(`${typed} is refused: ${code}`, () => {
      assert.throws(
        () => check(typed, ['10.1.2.3:443']),
        (error) => error instanceof SpoonError && error.code === code,
      );
    });
  }
});
