import { printedLines, withoutHidden } from '../../protocol/plainText.ts';

const defaultBytes = 64 * 1024;

/** The beginning and the end of a text that may have no end (row 88): half of what it may keep each. */
export class KeptText {
  readonly #half: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #omitted = 0;

  constructor(maxBytes = defaultBytes) {
    this.#half = maxBytes / 2;
  }

  add(chunk: Buffer): void {
    const room = this.#half - this.#headBytes;
    if (room > 0) {
      const first = chunk.subarray(0, room);
      this.#head.push(first);
      this.#headBytes += first.length;
    }
    const rest = chunk.subarray(Math.max(0, room));
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    while (this.#tailBytes > 2 * this.#half) this.#shorten();
  }

  get text(): string {
    this.#shorten();
    const between = this.#omitted === 0 ? [] : [Buffer.from(`\n… ${this.#omitted} bytes omitted …\n`)];
    return Buffer.concat([...this.#head, ...between, ...this.#tail]).toString('utf8');
  }

  /** For a person: no escape sequences, no control characters (CVE-2024-52005), of a rewritten line only its last form. */
  get plain(): string {
    return plainLines(this.text);
  }

  #shorten(): void {
    const all = Buffer.concat(this.#tail);
    const kept = all.subarray(Math.max(0, all.length - this.#half));
    this.#omitted += all.length - kept.length;
    this.#tail = [kept];
    this.#tailBytes = kept.length;
  }
}

export function plainLines(text: string): string {
  return printedLines(text)
    .map((line) => withoutHidden(line.replaceAll('\t', ' ')).trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}
