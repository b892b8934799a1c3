import type { CommandLine } from '../commandLine.ts';

const mebi = 1024 * 1024;

/** One line on a terminal that counts files and bytes; nothing where nobody watches. */
export class Progress {
  readonly #line: CommandLine;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #bytes: number;
  #files = 0;
  #doneBytes = 0;

  constructor(line: CommandLine, files: readonly { readonly path: string; readonly size: number }[]) {
    this.#line = line;
    this.#sizes = new Map(files.map(({ path, size }) => [path, size]));
    this.#bytes = files.reduce((sum, { size }) => sum + size, 0);
  }

  done(paths: readonly string[]): void {
    this.#files += paths.length;
    for (const path of paths) this.#doneBytes += this.#sizes.get(path) ?? 0;
    if (!this.#line.stderr.isTTY) return;
    const megabytes = (bytes: number) => (bytes / mebi).toFixed(1);
    const count = `${this.#files} of ${this.#sizes.size} files`;
    this.#line.stderr.write(`\r\x1b[K${count}, ${megabytes(this.#doneBytes)} of ${megabytes(this.#bytes)} MiB`);
  }

  end(): void {
    if (this.#line.stderr.isTTY && this.#files > 0) this.#line.stderr.write('\r\x1b[K');
  }
}
