import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Dotfile, DotfileList } from '../../protocol/dotfiles.ts';
import { RunningService, type TestEngine, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

interface Options {
  /** Default: boxes that are processes of this machine. */
  readonly engine?: TestEngine;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A service with one user, and a window that is signed in by a file handed over, as `npm run up -- --browser` does it. */
export class SignedInWindow implements AsyncDisposable {
  readonly service: RunningService;
  readonly user: TestUser;
  readonly window: Workbench;
  /** For files of the test, gone afterwards. */
  readonly folder: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: { service: RunningService; user: TestUser; window: Workbench; folder: string },
    resources: AsyncDisposableStack,
  ) {
    this.service = parts.service;
    this.user = parts.user;
    this.window = parts.window;
    this.folder = parts.folder;
    this.#resources = resources;
  }

  static async open({ engine = 'process', settings = {} }: Options = {}): Promise<SignedInWindow> {
    await using resources = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'spoon-signed-in-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    const service = resources.use(await RunningService.start({ engine }));
    const user = await service.addUser('Ada Lovelace');
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    const window = resources.use(
      await Workbench.open({
        environment: { SPOON_SIGN_IN_FILE: signInFile },
        // A tooltip that pops up covers the next row.
        settings: { 'workbench.hover.delay': 100_000, ...settings },
        pictures: process.env.SPOON_TEST_PICTURES,
      }),
    );
    return new SignedInWindow({ service, user, window, folder }, resources.move());
  }

  /** With the whole height of the sidebar, and with a row that shows that it is there: of an empty home the hint. */
  async showTree(row: string | RegExp = 'Upload Files…'): Promise<void> {
    await this.window.showSpoonView();
    await this.window.row(row).waitFor();
    await this.window.onlyDotfiles();
  }

  async dotfiles(): Promise<readonly Dotfile[]> {
    return ((await (await this.service.fetch(this.user, '/v1/dotfiles')).json()) as DotfileList).dotfiles;
  }

  /** Each as path and mode, or as path and `link`; sorted. */
  async stored(below = ''): Promise<string[]> {
    const kept = (await this.dotfiles()).filter(({ path }) => path.startsWith(below));
    return kept.map(({ path, mode, kind }) => `${path} ${kind === 'symlink' ? 'link' : mode.toString(8)}`).sort();
  }

  /** Waits for it, and fails with the difference. */
  async storedIs(...expected: string[]): Promise<void> {
    const wanted = [...expected].sort();
    await this.window
      .until(async () => JSON.stringify(await this.stored()) === JSON.stringify(wanted))
      .catch(async () => assert.deepEqual(await this.stored(), wanted));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** A file of the test's machine, with the folders above it. */
export async function onDisk(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, mode);
}
