import { randomUUID } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';

/**
 * For a file that is to be complete or not there at all: what is there stays until then. Pipes and devices are written to as
 * they are.
 */
export class PartialFile {
  /** To be written, with {@link flags}. */
  readonly path: string;
  readonly flags: 'w' | 'wx';
  readonly #file: string;

  private constructor(file: string, isPlain: boolean) {
    this.#file = file;
    this.path = isPlain ? `${file}.${randomUUID().slice(0, 8)}.partial` : file;
    this.flags = isPlain ? 'wx' : 'w';
  }

  static async of(file: string): Promise<PartialFile> {
    const there = await stat(file).catch(() => undefined);
    return new PartialFile(file, there === undefined || there.isFile() || there.isDirectory());
  }

  /** It is complete. @throws what the file system says, such as `EISDIR` */
  async commit(): Promise<void> {
    if (this.path === this.#file) return;
    const handle = await open(this.path, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(this.path, this.#file);
  }

  async discard(): Promise<void> {
    if (this.path !== this.#file) await rm(this.path, { force: true });
  }
}
