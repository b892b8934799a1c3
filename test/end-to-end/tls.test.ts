import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { eventually } from '../../boxd/testing/eventually.ts';
import type { Health } from '../../protocol/boxes.ts';
import { operatorCall } from '../fixtures/httpSide.fixture.ts';
import { buildBoxdOnce, ServiceProcess } from '../fixtures/serviceProcess.fixture.ts';
import { PersonsMachine } from '../fixtures/spoonctl.fixture.ts';

const run = promisify(execFile);

describe('TLS of the service itself', { timeout: 240_000 }, () => {
  let folder: string;
  let service: ServiceProcess;
  let url: URL;
  const [cert, key] = ['cert.pem', 'key.pem'];
  const at = (name: string) => join(folder, name);
  const environment = () => ({
    SPOON_AGENT_WORKDIR: at('work'),
    SPOON_LISTEN: '127.0.0.1:0',
    SPOON_ENGINE: 'process',
    SPOON_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SPOON_TLS_CERT: at(cert),
    SPOON_TLS_KEY: at(key),
  });
  const makePair = async (name: string, days = 90) => {
    const shape = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', String(days)];
    const subject = ['-subj', '/CN=spoon-test', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
    await run('openssl', ['req', '-x509', ...shape, ...files, ...subject]);
    await chmod(at(`${name}.key`), 0o600);
  };
  const use = async (certificate: string, privateKey = certificate) => {
    await copyFile(at(`${privateKey}.key`), at(key));
    await copyFile(at(`${certificate}.pem`), at(cert));
  };
  const serialOf = async (name: string) => new X509Certificate(await readFile(at(`${name}.pem`))).serialNumber;
  before(async () => {
    await buildBoxdOnce();
    folder = await mkdtemp(join(tmpdir(), 'spoon-tls-'));
    await Promise.all(['first', 'second', 'third'].map((name) => makePair(name, name === 'third' ? 3 : 90)));
    await use('first');
    service = new ServiceProcess(environment());
    url = new URL((await service.ready).url);
  });
  after(async () => {
    await service.end('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** A handshake of its own. @returns the serial number that was shown */
  async function shake(options: { maxVersion?: 'TLSv1.1' | 'TLSv1.2' } = {}): Promise<string> {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port),
      ca: await readFile(at(cert)),
      // Which one is shown is what is asked; whether it is trusted is asked by the requests below.
      checkServerIdentity: () => undefined,
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
      ...options,
    });
    try {
      await once(socket, 'secureConnect');
      return socket.getPeerX509Certificate()?.serialNumber ?? '';
    } finally {
      socket.destroy();
    }
  }
  async function ask(path: string, options: RequestOptions) {
    const sent = request(new URL(path, url), options);
    sent.end();
    const [response] = await once(sent, 'response');
    return { status: response.statusCode, headers: response.headers, body: JSON.parse(await text(response)) };
  }
  const problems = async () => {
    const { body } = await operatorCall(at('work/admin/admin.sock'), 'GET', '/v1/admin/status');
    return (body.health as Health).problems.join('\n');
  };

  it('answers over TLS 1.2 and 1.3 only, with HSTS', async () => {
    assert.equal(url.protocol, 'https:');
    const { status, headers, body } = await ask('/health/live', { ca: await readFile(at(cert)) });
    assert.deepEqual([status, body], [200, { status: 'live' }]);
    assert.match(String(headers['strict-transport-security']), /max-age=31536000/);
    assert.equal(await shake({ maxVersion: 'TLSv1.2' }), await serialOf('first'));
    await assert.rejects(shake({ maxVersion: 'TLSv1.1' }), /alert|EPROTO|ECONNRESET|version/i);
    await assert.rejects(fetch(`http://${url.host}/health/live`));
  });

  it('is ready, and tells its operator alone what is not as it should be', async () => {
    const ca = await readFile(at(cert));
    assert.deepEqual((await ask('/health/ready', { ca })).body, { status: 'ready' });
    const { body } = await ask('/v1/health', { ca, headers: { 'x-forwarded-for': '203.0.113.7' } });
    for (const problem of (body as Health).problems) assert.equal(problem, 'Ask on its own machine: spoonctl status.');
    assert.equal((await ask('/v1/admin/status', { ca })).status, 401);
  });

  it('carries requests and sockets of spoonctl, to a box that dials in as ever', async () => {
    const admin = at('work/admin/admin.sock');
    await operatorCall(admin, 'POST', '/v1/admin/users', { displayName: 'Ada' });
    const { body } = await operatorCall(admin, 'POST', '/v1/admin/users/ada/tokens', { name: 'x' });
    await using machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: url.origin, SPOON_TOKEN: String(body.token), SPOON_CA_FILE: at(cert) };
    const { code, stdout, stderr } = await machine.run(['exec', '--', 'sh', '-c', 'echo "$USER over TLS"']);
    assert.deepEqual([code, stdout.toString()], [0, 'ada over TLS\n'], stderr);
    await operatorCall(admin, 'POST', '/v1/admin/boxes/ada/stop');
    machine.env = { ...machine.env, SPOON_CA_FILE: '' };
    assert.equal((await machine.run(['whoami'])).code, 69);
  });

  it('takes a new certificate on SIGHUP, and keeps what is open', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: await readFile(at(cert)) });
    const { status } = await ask('/health/live', { agent });
    const [open] = Object.values(agent.freeSockets)[0] ?? [];
    assert.equal(status, 200);
    await use('second');
    service.child.kill('SIGHUP');
    const second = await serialOf('second');
    await eventually('the new one is shown', async () => (await shake()) === second);
    const { socket } = await new Promise<{ socket: TLSSocket | undefined }>((resolve, reject) => {
      const sent = request(new URL('/health/live', url), { agent }, (response) => {
        response.resume();
        resolve({ socket: sent.socket as TLSSocket });
      });
      sent.on('error', reject).end();
    });
    assert.equal(socket, open, 'the old connection still serves');
    agent.destroy();
  });

  it('keeps the old certificate where the new pair cannot be used, and says so until one can', async () => {
    const used = await shake();
    await use('third', 'first');
    // Nobody tells it: it looks by itself.
    await eventually('it is said', async () => /not the key of the certificate/.test(await problems()));
    assert.equal(await shake(), used);
    assert.ok(service.lines.some(({ event }) => event === 'certificate.refused'));
    await writeFile(at(cert), 'nothing');
    service.child.kill('SIGHUP');
    await eventually('it is said', async () => /no certificate in PEM/.test(await problems()));
    assert.equal(await shake(), used);
    await use('third');
    service.child.kill('SIGHUP');
    const third = await serialOf('third');
    await eventually('the good one is used', async () => (await shake()) === third);
    await eventually('only its end is said', async () => {
      const said = await problems();
      return /expires in [23] days/.test(said) && !said.includes('is not used');
    });
  });

  it('is refused at start with the name of what is wrong', async () => {
    for (const [change, words] of [
      [{ SPOON_TLS_KEY: '' }, /SPOON_TLS_CERT is set and SPOON_TLS_KEY is not/],
      [{ SPOON_TLS_CERT: at('none.pem') }, /SPOON_TLS_CERT is ".*none\.pem": it cannot be read \(ENOENT\)/],
      [{ SPOON_TLS_CERT: at('first.pem') }, /SPOON_TLS_KEY is .*not the key of the certificate/],
      [{ SPOON_TLS_KEY: at('open.key') }, /SPOON_TLS_KEY is .*chmod o=/],
    ] as const) {
      await copyFile(at('third.key'), at('open.key'));
      await chmod(at('open.key'), 0o644);
      const refused = new ServiceProcess({ ...environment(), SPOON_AGENT_WORKDIR: at('other'), ...change });
      assert.equal(await refused.exited, 78, refused.errors);
      assert.match(refused.errors, words);
    }
  });
});
