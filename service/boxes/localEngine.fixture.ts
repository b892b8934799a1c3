import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TerminalState } from '../../protocol/boxd.ts';
import type { SpoonError } from '../../protocol/errors.ts';
import { specHash } from './boxSpec.ts';
import type { BoxSpec, BoxWatcher, Engine, EngineBox } from './engine.ts';

/** For tests that are not about them. */
export const noPins = { untilMs: () => undefined, set: async () => undefined, clear: async () => undefined };

/** A box in this process: speaks as boxd does over connections that it dials, so that thousands can start and stop. */
export class LocalBox {
  engineBox: EngineBox;
  terminals: TerminalState[] = [];
  commands = 0;
  protocol = 1;
  /** Questions so far. */
  asked = 0;
  /** Every answer waits for it. */
  answering: Promise<void> = Promise.resolve();
  readonly #path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #ended = false;

  constructor(spec: BoxSpec, engineId: string, imageId: string) {
    const { username } = spec;
    this.engineBox = { username, engineId, startedMs: Date.now(), specHash: specHash(spec), imageId };
    this.#path = join(spec.socketDir, 'svc.sock');
    this.#server = createServer(async (request, response) => {
      this.asked++;
      await this.answering;
      const stat = { protocol: this.protocol, build: 'b', pid: 1, rssBytes: 1, startedMs: 1 };
      const { terminals, commands } = this;
      response.end(JSON.stringify(request.url === '/v1/stat' ? stat : { terminals, commands }));
    });
    for (let count = 0; count < 2; count++) this.dial();
  }

  dial(): void {
    if (this.#ended) return;
    const socket = connect(this.#path);
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('connect', () => this.#server.emit('connection', socket));
    socket.once('close', () => {
      this.#sockets.delete(socket);
      setTimeout(() => this.dial(), 5).unref();
    });
  }

  end(): void {
    this.#ended = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}

export class LocalEngine implements Engine {
  readonly name = 'process';
  /** What the image's name stands for, and what a box is made from. */
  image = 'sha256:1';
  readonly boxes = new Map<string, LocalBox>();
  readonly watchers = new Set<BoxWatcher>();
  starts = 0;
  /** What a start does before it is done. */
  beforeStart: (spec: BoxSpec, signal?: AbortSignal) => Promise<void> = async () => undefined;
  onNewBox: (box: LocalBox) => void = () => undefined;

  async probe() {
    return { version: '1', isolation: 'none', separatesUsers: true, problems: [] };
  }
  async start(spec: BoxSpec, signal?: AbortSignal) {
    await this.beforeStart(spec, signal);
    const box = this.boxes.get(spec.username) ?? new LocalBox(spec, `box-${++this.starts}`, this.image);
    this.onNewBox(box);
    this.boxes.set(spec.username, box);
    return box.engineBox;
  }
  async stop(username: string, _graceMs?: number) {
    await new Promise(setImmediate);
    this.boxes.get(username)?.end();
    this.boxes.delete(username);
  }
  wakes = 0;
  async wake() {
    this.wakes++;
  }
  async list() {
    return [...this.boxes.values()].map(({ engineBox }) => engineBox);
  }
  fault: SpoonError | undefined;
  async imageFault() {
    return this.fault;
  }
  async imageId() {
    return this.image;
  }
  async eraseHome({ path }: { path: string }) {
    for (const name of await readdir(path)) await rm(join(path, name), { recursive: true });
  }
  async usage() {
    return undefined;
  }
  watch(watcher: BoxWatcher) {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }
  async close() {}

  die(username: string, reason: 'out-of-memory' | 'exited', exitCode: number | null): void {
    const box = this.boxes.get(username);
    assert.ok(box);
    box.end();
    this.boxes.delete(username);
    for (const watcher of this.watchers)
      watcher.onEnd({ username, engineId: box.engineBox.engineId, reason, exitCode });
  }
}
