import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findSecrets } from './secretRules.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH';
/** Made here, so that nothing in this repository looks like somebody's key to a scanner. */
const random = (length: number, from = alphabet): string =>
  Array.from({ length }, (_, index) => from[(index * 7 + 3) % from.length]).join('');
const find = (text: string, path = '.bashrc') => findSecrets(path, Buffer.from(text));
const rulesOf = (text: string, path?: string): string[] => find(text, path).map(({ rule }) => rule);
const key = (kind: string): string => `-----BEGIN ${kind}PRIVATE KEY-----`;

describe('findSecrets', () => {
  const secrets: readonly (readonly [rule: string, text: string, path?: string])[] = [
    ['private-key', key('')],
    ['private-key', key('RSA ')],
    ['private-key', key('OPENSSH ')],
    ['private-key', key('ENCRYPTED ')],
    ['private-key', '-----BEGIN PGP PRIVATE KEY BLOCK-----'],
    ['putty-key', 'PuTTY-User-Key-File-3: ssh-ed25519'],
    ['age-key', `AGE-SECRET-KEY-1${random(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')}`],
    ['github', `export GITHUB_TOKEN=ghp_${random(36)}`],
    ['github', `github_pat_${random(82)}`],
    ['gitlab', `glpat-${random(20)}`],
    ['npm', `//registry.npmjs.org/:_authToken=npm_${random(36)}`],
    ['pypi', `password = pypi-AgEIcHlwaS5vcmc${random(70)}`],
    ['aws', `aws_access_key_id = AKIA${random(16, 'ABCDEFGHJKLMNOPQ2345')}`],
    ['google', `AIza${random(35)}`],
    ['slack', `xoxb-123456789012-${random(24)}`],
    ['stripe', `sk_live_${random(24)}`],
    ['ai', `OPENAI_API_KEY=sk-proj-${random(60)}`],
    ['ai', `ANTHROPIC_API_KEY=sk-ant-api03-${random(60)}`],
    ['ai', `hf_${random(34)}`],
    ['vault', `hvs.${random(90)}`],
    ['spoon', `spn_u_${random(12)}_${random(43)}`],
    ['jwt', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${random(43)}`],
    ['url-password', 'https://ada:s3cr3tpassw0rd@host.test/x.git'],
    ['netrc', 'machine git.test login ada password q7Gx0pZr4m', '.netrc'],
    ['pgpass', 'db.test:5432:app:ada:q7Gx0pZr4m', '.pgpass'],
    ['assignment', 'export DB_PASSWORD="q7Gx0pZr4mKs82vTnW"'],
    ['assignment', `aws_secret_access_key = ${random(40)}`, '.aws/credentials'],
    ['assignment', '  "auth": "YWRhOnE3R3gwcFpyNG1LczgydlRuVw=="', '.docker/config.json'],
    ['assignment', `set -x SERVICE_TOKEN ${random(24)}`, '.config/fish/config.fish'],
    ['assignment', `api-key: ${random(24)}`],
    ['assignment', `//registry.test/:_authToken=${random(24)}`, '.npmrc'],
  ];
  for (const [rule, text, path] of secrets) {
    it(`sees ${rule} in ${text.slice(0, 28)}…`, () => assert.deepEqual(rulesOf(text, path), [rule]));
  }

  for (const text of [
    'export GITHUB_TOKEN=$(pass show github)',
    'export TOKEN="$TOKEN"',
    'password = op://vault/item/password',
    'PASSWORD_STORE_DIR=/home/ada/.password-store',
    'export SSH_AUTH_SOCK=/run/user/1000/gnupg/S.gpg-agent.ssh',
    'credential.helper = osxkeychain',
    'set -g @token your-token-goes-here-123',
    'api_key = "XXXXXXXXXXXXXXXX"',
    'alias token="kubectl get secret"',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ ada@laptop',
    'PasswordAuthentication no',
    'IdentityFile ~/.ssh/id_ed25519',
    'tokenizer: bert-base-uncased-v2',
    '-----BEGIN CERTIFICATE-----',
    '-----BEGIN PUBLIC KEY-----',
    'git clone https://github.com/ohmyzsh/ohmyzsh.git',
    'https://ada:$TOKEN@host.test/x.git',
    'commit 0f4a2490c5cbd2f1de0a6a3ff0fe1be4a5d5e6d7',
    'require("lualine").setup { options = { theme = "auto" } }',
    'secret = example-value-12345',
  ]) {
    it(`is quiet about ${text}`, () => assert.deepEqual(rulesOf(text), []));
  }

  it('says where, and never what', () => {
    const secret = `ghp_${random(36)}`;
    const text = `# first\r\nexport GITHUB_TOKEN=${secret}\r\n`;
    const [found] = find(text);
    assert(found);
    assert.equal(found.line, 2);
    assert.equal(text.slice(found.start, found.end), secret);
    assert.ok(!JSON.stringify(found).includes(secret.slice(4)));
  });

  it('has nothing to say about what is no text, or is empty', () => {
    assert.deepEqual(find(`\0${key('RSA ')}`), []);
    assert.deepEqual(find(''), []);
  });

  it('takes linear time over what is made to be slow, and ends after a hundred findings', () => {
    const timeOf = (text: string): number => {
      const start = performance.now();
      find(text);
      return performance.now() - start;
    };
    for (const unit of ['a_', 'token ', 'token= ', 'a://b:', '-----BEGIN ', 'eyJaaaaaaaaaaa.', '"auth": "', '    ']) {
      timeOf(unit.repeat(1000));
      const small = timeOf(`${unit.repeat(200)}\n`.repeat(50));
      const large = timeOf(`${unit.repeat(2000)}\n`.repeat(50));
      assert.ok(large < 40 * small + 200, `${unit}: ${small} ms, ${large} ms`);
    }
    assert.equal(find(`${key('')}\n`.repeat(1000)).length, 100);
  });
});
