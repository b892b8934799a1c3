import { inBytes } from '../byteText.ts';
import type { CommandLine } from '../commandLine.ts';

const everyMs = 200;

/** One line on a terminal that counts bytes; nothing where nobody watches. */
export class ByteProgress {
  readonly #line: CommandLine;
  readonly #totalBytes: number | undefined;
  #bytes = 0;
  #shownMs = 0;

  constructor(line: CommandLine, totalBytes?: number) {
    this.#line = line;
    this.#totalBytes = totalBytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    const nowMs = performance.now();
    if (!this.#line.stderr.isTTY || nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    const of = this.#totalBytes === undefined ? '' : ` of ${inBytes(this.#totalBytes)}`;
    this.#line.stderr.write(`\r\x1b[K${inBytes(this.#bytes)}${of}`);
  }

  end(): void {
    if (this.#shownMs > 0) this.#line.stderr.write('\r\x1b[K');
  }
}
