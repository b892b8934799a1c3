import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { eventually } from '../../boxd/testing/eventually.ts';
import { socketProtocol, ticketProtocolPrefix } from '../../protocol/version.ts';
import { operatorCall } from '../fixtures/httpSide.fixture.ts';
import { buildBoxdOnce, ServiceProcess } from '../fixtures/serviceProcess.fixture.ts';

/** R9: what the service does when the file system of its database has no room left, and when it has some again. */
describe('a database on a full disk', { timeout: 180_000 }, () => {
  let folder: string;
  let service: ServiceProcess;
  let url: string;
  let token: string;
  const key = randomBytes(32).toString('base64');
  const settings = () => ({
    SPOON_AGENT_WORKDIR: join(folder, 'work'),
    SPOON_DATABASE_URL: `sqlite:${join(folder, 'small', 'spoon.db')}`,
    SPOON_LISTEN: '127.0.0.1:0',
    SPOON_ENGINE: 'docker',
    DOCKER_HOST: `unix://${folder}/no-docker.sock`,
    SPOON_ENCRYPTION_KEY: key,
  });
  const filler = () => join(folder, 'small', 'filler');
  before(async () => {
    await buildBoxdOnce();
    folder = await mkdtemp(join(tmpdir(), 'spoon-full-'));
    execFileSync('mkdir', [join(folder, 'small')]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=700', 'tmpfs', join(folder, 'small')]);
    service = new ServiceProcess(settings());
    ({ url } = await service.ready);
    const admin = join(folder, 'work/admin/admin.sock');
    await operatorCall(admin, 'POST', '/v1/admin/users', { displayName: 'Ada' });
    const { body } = await operatorCall(admin, 'POST', '/v1/admin/users/ada/tokens', { name: 'x' });
    token = String(body.token);
  });
  after(async () => {
    await service.end('SIGKILL');
    execFileSync('umount', [join(folder, 'small')]);
    await rm(folder, { recursive: true, force: true });
  });

  const call = (method: string, path: string, body?: Uint8Array | object) => {
    const isBytes = body instanceof Uint8Array;
    return fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }),
    });
  };
  const save = async (path: string, bytes: Uint8Array) => {
    const response = await call('PUT', `/v1/dotfiles/content?path=${path}`, bytes);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const contentOf = async (path: string) => (await call('GET', `/v1/dotfiles/content?path=${path}`)).text();
  const ready = async () => {
    const { detail } = (await (await fetch(`${url}/health/ready`)).json()) as { detail?: string };
    return detail ?? '';
  };
  async function fill(): Promise<void> {
    const file = await open(filler(), 'w');
    try {
      for (const bytes of [64 * 1024, 1024, 1]) {
        for (;;) await file.write(Buffer.alloc(bytes));
      }
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    } finally {
      await file.close();
    }
  }

  it('refuses to write and says so; goes on reading, also with sockets; writes again by itself', async () => {
    assert.equal((await save('.bashrc', Buffer.from('kept'))).status, 200);
    await fill();
    // What is in the log already may still have room for a small one; a large one has none.
    const refused = await save('.large', randomBytes(4 * 1024 * 1024));
    assert.deepEqual([refused.status, refused.body.code], [507, 'insufficient-storage']);
    assert.equal(await contentOf('.bashrc'), 'kept');
    const { dotfiles } = (await (await call('GET', '/v1/dotfiles')).json()) as { dotfiles: { path: string }[] };
    assert.deepEqual(
      dotfiles.map(({ path }) => path),
      ['.bashrc'],
    );
    assert.equal((await call('GET', '/v1/me')).status, 200);
    const { ticket } = (await (await call('POST', '/v1/tickets', { kind: 'events' })).json()) as { ticket: string };
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/events`, [
      socketProtocol,
      `${ticketProtocolPrefix}${ticket}`,
    ]);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.terminate();
    await rm(filler());
    await eventually('it is written again', async () => (await save('.large', randomBytes(1024))).status === 200);
    await eventually('and ready, but for the engine', async () => !(await ready()).includes('database'));
  });

  it('leaves nothing half written, also when the service is killed there', async () => {
    await fill();
    assert.equal((await save('.other', randomBytes(4 * 1024 * 1024))).status, 507);
    await service.end('SIGKILL');
    await rm(filler());
    service = new ServiceProcess(settings());
    ({ url } = await service.ready);
    assert.equal(await contentOf('.bashrc'), 'kept');
    assert.equal((await call('GET', '/v1/dotfiles/content?path=.other')).status, 404);
    assert.equal((await save('.other', Buffer.from('now'))).status, 200);
  });
});
