import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from '../protocol/errors.ts';
import { readConfig } from './config.ts';

const read = (environment: NodeJS.ProcessEnv) => readConfig(environment, '/srv/spoon');

describe('the configuration', () => {
  it('has a default for everything', () => {
    const config = read({});
    assert.equal(config.workdir, '/srv/spoon/.local/agent-work');
    assert.equal(config.hostWorkdir, config.workdir);
    assert.equal(config.databaseFile, '/srv/spoon/.local/agent-work/spoon.db');
    assert.equal(config.engine, 'auto');
    assert.equal(config.dockerHost, 'unix:///var/run/docker.sock');
    assert.equal(config.boxIdleMs, 1_800_000);
    assert.equal(config.detachedMs, 43_200_000);
    assert.equal(config.auditDays, 400);
    assert.deepEqual(config.listen, { host: '127.0.0.1', port: 3921 });
    assert.deepEqual(config.key, { oldKeys: [] });
    assert.deepEqual([...config.access.hosts].sort(), ['127.0.0.1', '::1', 'localhost']);
    assert.deepEqual(config.warnings, []);
    assert.deepEqual(config.given, {});
    assert.equal(read({ NODE_ENV: 'production' }).workdir, '/var/lib/spoon-agent/work');
  });

  it('says what was set, and of secrets only that they were', () => {
    const { given } = read({ SPOON_ENGINE: 'docker', SPOON_ENCRYPTION_KEY: 'canary', SPOON_LISTEN: '', HOME: '/x' });
    assert.deepEqual(given, { SPOON_ENCRYPTION_KEY: 'set', SPOON_ENGINE: 'docker' });
  });

  const accepted: [string, NodeJS.ProcessEnv, (config: ReturnType<typeof readConfig>) => unknown, unknown][] = [
    ['a relative workdir', { SPOON_AGENT_WORKDIR: 'work' }, (c) => c.workdir, '/srv/spoon/work'],
    ['an IPv6 address', { SPOON_LISTEN: '[::1]:0' }, (c) => c.listen, { host: '::1', port: 0 }],
    ['metrics where nobody asked for them, nowhere', {}, (c) => c.metricsListen, undefined],
    ['an address for metrics', { SPOON_METRICS_LISTEN: '0.0.0.0:9464' }, (c) => c.metricsListen?.port, 9464],
    ['localhost as one address', { SPOON_LISTEN: 'localhost:80' }, (c) => c.listen.host, '127.0.0.1'],
    ['an unset variable as an empty one', { SPOON_ENGINE: '' }, (c) => c.engine, 'auto'],
    ['a database elsewhere', { SPOON_DATABASE_URL: 'sqlite:/data/x.db' }, (c) => c.databaseFile, '/data/x.db'],
    [
      'a public address behind a named proxy',
      { SPOON_LISTEN: '0.0.0.0:80', SPOON_TRUSTED_PROXIES: '10.0.0.0/8, ::1' },
      (c) => c.access.trustedProxies,
      ['10.0.0.0/8', '::1'],
    ],
    [
      'a public address with a certificate of its own',
      { SPOON_LISTEN: '0.0.0.0:443', SPOON_TLS_CERT: 'tls/cert.pem', SPOON_TLS_KEY: '/run/key.pem' },
      (c) => c.tls,
      { certFile: '/srv/spoon/tls/cert.pem', keyFile: '/run/key.pem' },
    ],
    ['host names', { SPOON_ALLOWED_HOSTS: 'Spoon.Example' }, (c) => c.access.hosts.has('spoon.example'), true],
    ['an engine socket', { DOCKER_HOST: 'unix:///run/d.sock' }, (c) => c.dockerHost, 'unix:///run/d.sock'],
    ['a limit for setups', { SPOON_SETUP_TIMEOUT_MS: '1800000' }, (c) => c.git.setupMs, 1_800_000],
    ['old keys', { SPOON_ENCRYPTION_KEYS_OLD: 'first, second' }, (c) => c.key, { oldKeys: ['first', 'second'] }],
  ];
  for (const [name, environment, pick, expected] of accepted) {
    it(`takes ${name}`, () => assert.deepEqual(pick(read(environment)), expected));
  }

  const refused: [string, string][] = [
    ['SPOON_ENGINE', 'podman'],
    ['SPOON_LISTEN', '3921'],
    ['SPOON_LISTEN', '127.0.0.1:65536'],
    ['SPOON_LISTEN', '[not-an-address]:80'],
    ['SPOON_LISTEN', '0.0.0.0:80'],
    ['SPOON_METRICS_LISTEN', '9464'],
    ['SPOON_TLS_CERT', 'cert.pem'],
    ['SPOON_TLS_KEY', 'key.pem'],
    ['SPOON_AGENT_BOX_IDLE_MS', '30m'],
    ['SPOON_AGENT_BOX_IDLE_MS', '-1'],
    ['SPOON_AGENT_BOX_IDLE_MS', '0'],
    ['SPOON_AGENT_DETACHED_MS', '1e9'],
    ['SPOON_AGENT_DETACHED_MS', '99999999999'],
    ['SPOON_SETUP_TIMEOUT_MS', '10min'],
    ['SPOON_AUDIT_RETENTION_DAYS', '29'],
    ['SPOON_AUDIT_RETENTION_DAYS', '0'],
    ['SPOON_AUDIT_RETENTION_DAYS', '400d'],
    ['SPOON_AUDIT_RETENTION_DAYS', '36501'],
    ['SPOON_AGENT_WORKDIR', '/data/a:b'],
    ['SPOON_AGENT_HOST_WORKDIR', 'relative'],
    ['SPOON_AGENT_IMAGE', '--privileged'],
    ['SPOON_ALLOWED_HOSTS', 'a.example:80'],
    ['SPOON_ALLOWED_ORIGINS', '*'],
    ['SPOON_ALLOWED_ORIGINS', 'https://a.example/path'],
    ['SPOON_TRUSTED_PROXIES', 'proxy.example'],
    ['SPOON_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['SPOON_DATABASE_URL', 'mysql://x'],
    ['SPOON_INSECURE_HTTP', 'yes'],
    ['DOCKER_HOST', 'tcp://127.0.0.1:2375'],
  ];
  for (const [name, value] of refused) {
    it(`refuses ${name}=${value} by name, with what is accepted`, () => {
      assert.throws(
        () => read({ [name]: value }),
        (error) => {
          assert.ok(error instanceof SpoonError);
          assert.equal(error.code, 'config-invalid');
          assert.match(error.detail ?? '', new RegExp(`^${name} is .*Accepted: .+\\.$`));
          return true;
        },
      );
    });
  }

  it('takes a public address when told that tokens may travel unencrypted', () => {
    assert.equal(read({ SPOON_LISTEN: '0.0.0.0:80', SPOON_INSECURE_HTTP: '1' }).listen.host, '0.0.0.0');
  });

  it('never shows a password of a database URL', () => {
    assert.throws(
      () => read({ SPOON_DATABASE_URL: 'postgres://spoon:canary-password@db/spoon' }),
      (error: Error) => !error.message.includes('canary'),
    );
  });

  it('takes name servers for boxes and the namespace of their network', () => {
    assert.deepEqual(read({}).network, { dns: [], namespace: undefined });
    const given = read({ SPOON_AGENT_DNS: '10.0.0.2, 9.9.9.9', SPOON_AGENT_NETWORK_NAMESPACE: '/proc/1/ns/net' });
    assert.deepEqual(given.network, { dns: ['10.0.0.2', '9.9.9.9'], namespace: '/proc/1/ns/net' });
    for (const dns of ['dns.example', '::1', '10.0.0.2/8'])
      assert.throws(() => read({ SPOON_AGENT_DNS: dns }), /SPOON_AGENT_DNS/);
    for (const path of ['proc/1/ns/net', '/a b', '--help']) {
      assert.throws(() => read({ SPOON_AGENT_NETWORK_NAMESPACE: path }), /NETWORK_NAMESPACE/);
    }
  });

  it('takes the secrets out of the environment, so that no child inherits them', () => {
    const environment: NodeJS.ProcessEnv = {
      SPOON_ENCRYPTION_KEY: 'canary-1',
      SPOON_ENCRYPTION_KEYS_OLD: 'canary-2',
      INSTANCE_SECRET: 'canary-3',
      SPOON_TOKEN: 'canary-4',
      PATH: '/bin',
    };
    const { key } = read(environment);
    assert.deepEqual(key, { key: 'canary-1', instanceSecret: 'canary-3', oldKeys: ['canary-2'] });
    assert.deepEqual(environment, { PATH: '/bin' });
  });

  it('refuses a key that is given twice without showing it', () => {
    assert.throws(
      () => read({ SPOON_ENCRYPTION_KEY: 'canary', SPOON_ENCRYPTION_KEY_FILE: '/run/key' }),
      (error: Error) =>
        /SPOON_ENCRYPTION_KEY_FILE are both set/.test(error.message) && !error.message.includes('canary'),
    );
  });

  it('warns about a variable that it does not know and one that has no effect', () => {
    const { warnings } = read({ SPOON_LISTNE: 'x', SPOON_AGENT_NETWORK: 'y', SPOON_URL: 'z', OTHER: '1' });
    assert.deepEqual(warnings, [
      'SPOON_AGENT_NETWORK has no effect in this version.',
      'SPOON_LISTNE is not a setting of Spoon.',
    ]);
  });
});
