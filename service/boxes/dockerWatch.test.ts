import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Docker from 'dockerode';
import { DockerWatch } from './dockerWatch.ts';
import type { BoxEnd } from './engine.ts';

describe('a watch of Docker', () => {
  it('does not take a box for ended that is made or starts while the list of running ones is on its way', async () => {
    // Docker's answers in the order that matters, which a real engine gives once in hundreds of runs.
    await using docker = await ScriptedDocker.listen();
    const ends: BoxEnd[] = [];
    const watch = new DockerWatch(new Docker({ socketPath: docker.path }), 'instance', async () => undefined);
    watch.know('made', 'linus');
    watch.know('old', 'ada');
    const ended = new Promise<void>((resolve) => {
      watch.add({
        onEnd: (end) => {
          ends.push(end);
          resolve();
        },
        onMemoryKill: () => undefined,
      });
    });
    const list = await docker.listAsked;
    watch.know('new', 'grace');
    list.end('[]');
    await ended;
    docker.tellEvent({ Action: 'die', Actor: { ID: 'new', Attributes: { exitCode: '0' } } });
    while (ends.length < 2) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      ends.map(({ username, reason }) => [username, reason]),
      [
        ['ada', 'engine-gone'],
        ['grace', 'exited'],
      ],
    );
    await watch.close();
  });
});

class ScriptedDocker implements AsyncDisposable {
  readonly path: string;
  /** The answer to who asks for the running containers. */
  readonly listAsked: Promise<ServerResponse>;
  readonly #folder: string;
  readonly #server = createServer();
  #events: ServerResponse | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'docker.sock');
    this.listAsked = new Promise((resolve) => {
      this.#server.on('request', (request, response) => {
        response.setHeader('content-type', 'application/json');
        if (request.url?.startsWith('/events')) {
          response.flushHeaders();
          this.#events = response;
        } else if (request.url?.startsWith('/containers/json')) {
          resolve(response);
        } else {
          const status = request.url?.startsWith('/containers/made/') ? 'created' : 'exited';
          response.end(JSON.stringify({ State: { Status: status, Running: false, Dead: false } }));
        }
      });
    });
  }

  static async listen(): Promise<ScriptedDocker> {
    const docker = new ScriptedDocker(await mkdtemp(join(tmpdir(), 'spoon-docker-')));
    docker.#server.listen(docker.path);
    await once(docker.#server, 'listening');
    return docker;
  }

  tellEvent(event: unknown): void {
    this.#events?.write(`${JSON.stringify(event)}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
    await rm(this.#folder, { recursive: true });
  }
}
