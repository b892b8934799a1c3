import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { findSecrets } from '../../protocol/secretRules.ts';
import { replaceValue, syntaxOf, takeable } from './secretReference.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH';
/** Made here, so that nothing in this repository looks like somebody's key to a scanner. */
const random = (length: number): string =>
  Array.from({ length }, (_, index) => alphabet[(index * 7 + 3) % alphabet.length]).join('');
const token = `ghp_${random(36)}`;
const plain = random(24);

/** What is taken out of the first finding, and the text after it. */
function moved(path: string, text: string, name?: string) {
  const [finding] = findSecrets(path, Buffer.from(text));
  assert(finding, 'something is found');
  const found = takeable(path, text, finding);
  if (found === undefined) return undefined;
  const by = { name: name ?? found.suggestedName };
  return { ...found, text: replaceValue(text, found.value, { syntax: syntaxOf(path, text), by }) };
}

describe('a value in a shell file', () => {
  const cases: readonly (readonly [before: string, after: string, name: string, value: string])[] = [
    [`export GITHUB_TOKEN=${token}\n`, 'export GITHUB_TOKEN="$GITHUB_TOKEN"\n', 'GITHUB_TOKEN', token],
    [`export GITHUB_TOKEN="${token}"`, 'export GITHUB_TOKEN="$GITHUB_TOKEN"', 'GITHUB_TOKEN', token],
    [`export GITHUB_TOKEN='${token}'`, 'export GITHUB_TOKEN="$GITHUB_TOKEN"', 'GITHUB_TOKEN', token],
    [`DB_PASSWORD="${plain}, and more" # x`, 'DB_PASSWORD="$DB_PASSWORD" # x', 'DB_PASSWORD', `${plain}, and more`],
    [`x() { curl -H 'X: ${token}'; }`, `x() { curl -H 'X: '"$X"''; }`, 'X', token],
    [`curl -H "Bearer ${token}"`, 'curl -H "Bearer $GITHUB_TOKEN"', 'GITHUB_TOKEN', token],
    [`u=https://ada:${plain}@host.test/x`, 'u=https://ada:"$PASSWORD"@host.test/x', 'PASSWORD', plain],
    [`# it's old: T=${token}`, '# it\'s old: T="$T"', 'T', token],
    [`A=${token}; B=${token}\n`, 'A="$A"; B="$A"\n', 'A', token],
    [`export MY_TOKEN=${plain}+tail/=x\n`, 'export MY_TOKEN="$MY_TOKEN"\n', 'MY_TOKEN', `${plain}+tail/=x`],
    [`first\r\nexport T=${token}\r\nlast`, 'first\r\nexport T="$T"\r\nlast', 'T', token],
    [`export PATH=${token}`, 'export PATH="$GITHUB_TOKEN"', 'GITHUB_TOKEN', token],
    [`J='{"auth":"${token}"}'`, `J='{"auth":"'"$AUTH"'"}'`, 'AUTH', token],
  ];
  for (const [before, after, name, value] of cases) {
    it(`is referred to in ${before.replaceAll(token, 'T').replaceAll(plain, 'P').trim()}`, () => {
      assert.deepEqual(moved('.bashrc', before), { value, suggestedName: name, text: after });
    });
  }

  it('is the same to a shell as before', () => {
    const run = (text: string, env: Record<string, string>): string =>
      execFileSync('bash', ['--norc', '-c', `${text}\nprintf '%s|%s' "$OUT_TOKEN" "$*"`], { env }).toString();
    for (const text of [
      `OUT_TOKEN=${token}`,
      `OUT_TOKEN='${token}'`,
      `OUT_TOKEN="${token}"`,
      `OUT_TOKEN="pre ${token} post"`,
      `OUT_TOKEN="${token}"x`,
      `OUT_TOKEN='pre ${token} "post"'`,
      `OUT_TOKEN=pre:${token}:post`,
      `set -- a '${token}' "b ${token}"; OUT_TOKEN=1`,
    ]) {
      const found = moved('.bashrc', text, 'GIVEN');
      assert.ok(found?.text !== undefined && !found.text.includes(found.value), text);
      assert.equal(run(found.text, { GIVEN: found.value }), run(text, {}), text);
    }
  });

  it('is left alone where it is put together, or is a whole file', () => {
    assert.equal(moved('.bashrc', `export MY_TOKEN="${plain}$(date)"`), undefined);
    assert.equal(moved('.bashrc', `export MY_TOKEN=$'${token}'`), undefined);
    assert.equal(moved('.bashrc', `export MY_TOKEN=${plain}"tail"`), undefined);
    assert.equal(moved('.ssh/id_ed25519', `-----BEGIN OPENSSH ${'PRIVATE'} KEY-----\nabc`), undefined);
  });
});

describe('a value elsewhere', () => {
  it('is referred to as the file can', () => {
    const inFish = moved('.config/fish/config.fish', `set -x SERVICE_TOKEN "a-${token}"`);
    assert.equal(inFish?.text, 'set -x SERVICE_TOKEN "a-$GITHUB_TOKEN"');
    const by = { name: 'N' };
    assert.equal(replaceValue('"xVALUEy"', 'VALUE', { syntax: 'fish', by }), '"x{$N}y"');
    assert.equal(replaceValue('"xVALUEy"', 'VALUE', { syntax: 'sh', by }), `"x\${N}y"`);
    assert.deepEqual(moved('.npmrc', `//registry.test/:_authToken=${plain}\n`), {
      value: plain,
      suggestedName: 'NPM_TOKEN',
      text: `//registry.test/:_authToken=\${NPM_TOKEN}\n`,
    });
  });

  it('is taken without its quotes, and a text of the person’s own stands there', () => {
    const netrc = `machine git.test login ada password "${plain}"\n`;
    assert.deepEqual(moved('.netrc', netrc), { value: plain, suggestedName: 'NETRC_PASSWORD', text: undefined });
    const by = { text: 'x' };
    assert.equal(replaceValue(netrc, plain, { syntax: 'other', by }), 'machine git.test login ada password "x"\n');
    const json = moved('.docker/config.json', `{"auth": "${plain}=="}`);
    assert.deepEqual([json?.value, json?.suggestedName], [`${plain}==`, 'AUTH']);
    assert.equal(moved('.pgpass', `db.test:5432:app:ada:${plain}`)?.value, plain);
  });

  it('has its syntax from its name or its first line', () => {
    assert.equal(syntaxOf('.zshrc', ''), 'sh');
    assert.equal(syntaxOf('bin/deploy', '#!/usr/bin/env bash\n'), 'sh');
    assert.equal(syntaxOf('bin/deploy', '#!/usr/bin/env fish\n'), 'fish');
    assert.equal(syntaxOf('bin/deploy', '#!/usr/bin/env python3\n'), 'other');
    assert.equal(syntaxOf('.config/app.toml', ''), 'other');
  });
});
