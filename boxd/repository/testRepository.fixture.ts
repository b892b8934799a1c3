import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RepositoryRunState, StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import type { RepositoryRun } from '../../protocol/repository.ts';
import { GitServer } from '../testing/gitServer.ts';
import { publishTree, type TestTree } from '../testing/publishTree.ts';
import { TestBox } from '../testing/testBox.ts';

/** A box and a git server whose authority it trusts. */
export class TestRepository implements AsyncDisposable {
  readonly server: GitServer;
  readonly box: TestBox;

  private constructor(server: GitServer, box: TestBox) {
    this.server = server;
    this.box = box;
  }

  /** @param options as `TestBox.start` takes them */
  static async start(options: Parameters<typeof TestBox.start>[0] = {}): Promise<TestRepository> {
    const server = await GitServer.start();
    const box = await TestBox.start(options);
    writeFileSync(join(box.folder, 'ca.pem'), server.ca);
    return new TestRepository(server, box);
  }

  /** @returns the commit */
  publish(name: string, tree: TestTree, branch?: string): string {
    return publishTree(this.server, name, tree, branch).commit;
  }

  request(name: string, more: Partial<StartRepositoryRun> = {}): StartRepositoryRun {
    return {
      url: this.server.url(`${name}.git`),
      ref: null,
      commit: null,
      setup: null,
      manager: null,
      image: 'image:1',
      force: false,
      cloneMs: 20_000,
      setupMs: 20_000,
      ...more,
    };
  }

  async post(verb: string, body: unknown = {}): Promise<RepositoryRunState> {
    const reply = await this.box.request('POST', `/v1/repository/${verb}`, body);
    assert.equal(reply.status, 200, String(reply.body));
    return reply.json<RepositoryRunState>();
  }

  /** @param until what is waited for; the end without it */
  async watch(
    state: RepositoryRunState,
    until = (run: RepositoryRun) => run.state !== 'running',
  ): Promise<RepositoryRun> {
    for (let current = state; ; ) {
      assert.ok(current.run);
      assert.equal(current.run.endedMs === null, current.run.state === 'running', 'a run that ended says when');
      if (until(current.run)) return current.run;
      assert.equal(current.run.state, 'running', JSON.stringify(current.run));
      current = (await this.box.request('GET', `/v1/repository/run?step=${current.step}`)).json();
    }
  }

  async run(name: string, more: Partial<StartRepositoryRun> = {}): Promise<RepositoryRun> {
    return this.watch(await this.post('run', this.request(name, more)));
  }

  home(path: string): string {
    return join(this.box.home, path);
  }

  read(path: string): string {
    return readFileSync(this.home(path), 'utf8');
  }

  async log(): Promise<string> {
    return String((await this.box.request('GET', '/v1/repository/log')).body);
  }

  /** @param beforeRemoval of the home */
  async dispose(beforeRemoval: () => unknown): Promise<void> {
    await this.box.stop({ beforeRemoval });
    await this.server[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose(() => {});
  }
}
