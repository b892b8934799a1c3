import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, copyFile, link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BoxdLink } from './boxdLink.ts';
import type { BoxSpec, Engine, EngineBox } from './engine.ts';
import { ensureHome } from './homes.ts';
import { writeSystemFiles } from './systemFiles.ts';

export interface Place {
  readonly instanceId: string;
  readonly stateDir: string;
  readonly folder: string;
}

export interface EngineUnderTest {
  readonly title: string;
  /** Another object over the same boxes when called twice with one place. */
  make(place: Place): Promise<Engine>;
  readonly image: string;
  /** Uid of a box, from the one a user's account has. */
  boxUid(uid: number): number;
  /** What a person with root does to a box behind the engine's back. */
  removeFromOutside(box: EngineBox): Promise<void>;
  /** Which promises this kind of box makes; each is tested, also that it is not made silently. */
  readonly promises: { readonly isolation: boolean; readonly ownUid: boolean; readonly limits: boolean };
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const mebi = 1024 * 1024;
export const graceMs = 5_000;

/** A user's box and everything around it, as `Boxes` would set it up. */
export class Bench {
  readonly engine: Engine;
  readonly place: Place;
  readonly #subject: EngineUnderTest;
  readonly #links = new Map<string, BoxdLink>();

  private constructor(subject: EngineUnderTest, place: Place, engine: Engine) {
    this.#subject = subject;
    this.place = place;
    this.engine = engine;
  }

  static async make(subject: EngineUnderTest): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-engine-'));
    await chmod(folder, 0o755);
    const boxd = join(folder, 'boxd', 'test', 'bin');
    await mkdir(boxd, { recursive: true });
    const node = join(import.meta.dirname, `../../node_modules/node-linux-${process.arch}/bin/node`);
    // 120 MB: only one copy where the file system allows it.
    await link(node, join(boxd, 'node')).catch(() => copyFile(node, join(boxd, 'node')));
    await copyFile(join(import.meta.dirname, 'testBoxd.cjs'), join(boxd, '..', 'boxd.js'));
    // A name that a shell would trip over.
    const place = { instanceId: randomUUID(), stateDir: join(folder, "it's a state"), folder };
    return new Bench(subject, place, await subject.make(place));
  }

  get folder(): string {
    return this.place.folder;
  }

  secondEngine(): Promise<Engine> {
    return this.#subject.make(this.place);
  }

  async spec(username: string, accountUid: number): Promise<BoxSpec> {
    const uid = this.#subject.boxUid(accountUid);
    const gid = this.#subject.promises.ownUid ? uid : (process.getgid?.() ?? uid);
    const owner = { username, uid, gid, shell: '/bin/bash' };
    const socketDir = join(this.folder, 'run', username);
    if (!this.#links.has(username)) this.#links.set(username, await BoxdLink.listen({ socketDir }));
    return {
      ...owner,
      userId: `id-${username}`,
      homePath: await ensureHome(join(this.folder, 'homes'), owner),
      socketDir,
      boxdDir: join(this.folder, 'boxd', 'test'),
      systemFiles: await writeSystemFiles(join(this.folder, 'etc', username), owner),
      image: this.#subject.image,
      memoryBytes: 256 * mebi,
      cpus: 1,
      maxProcesses: 128,
    };
  }

  link(username: string): BoxdLink {
    const found = this.#links.get(username);
    assert.ok(found, `no link of ${username}`);
    return found;
  }

  /** As a service that was restarted. */
  async relisten(username: string): Promise<BoxdLink> {
    const { socketDir } = this.link(username);
    await this.link(username).close();
    const link = await BoxdLink.listen({ socketDir });
    this.#links.set(username, link);
    return link;
  }

  /** Runs a command in the box, as its user. */
  run(username: string, ...argv: string[]): Promise<Outcome> {
    return this.#run(username, argv, 30_000);
  }

  /** For a command after which nothing answers. */
  async runLast(username: string, script: string): Promise<void> {
    await assert.rejects(this.#run(username, ['/bin/sh', '-c', script], 500), { code: 'box-unavailable' });
  }

  async #run(username: string, argv: string[], timeoutMs: number): Promise<Outcome> {
    const response = await this.link(username).request({
      method: 'POST',
      path: '/run',
      body: Buffer.from(JSON.stringify({ argv })),
      maxResponseBytes: mebi,
      timeoutMs,
    });
    return JSON.parse(response.body.toString()) as Outcome;
  }

  sh(username: string, script: string): Promise<Outcome> {
    return this.run(username, '/bin/sh', '-c', script);
  }

  async output(username: string, script: string): Promise<string> {
    const { code, stdout, stderr } = await this.sh(username, script);
    assert.equal(code, 0, `${script}: ${stderr}`);
    return stdout.trim();
  }

  async close(): Promise<void> {
    for (const username of this.#links.keys()) await this.engine.stop(username, graceMs);
    await this.engine.close();
    for (const link of this.#links.values()) await link.close();
    await rm(this.folder, { recursive: true });
  }
}

/** Polls a condition; the test fails when it does not come true in time. */
export async function until<T>(timeoutMs: number, condition: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined) return value;
    assert.ok(performance.now() < deadline, `did not happen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
