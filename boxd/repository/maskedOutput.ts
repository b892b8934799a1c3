import { StringDecoder } from 'node:string_decoder';
import { createMasker, type Masker } from '../../protocol/maskSecrets.ts';

/** A line without an end is let go beyond this: a progress bar, a file of one line. */
const maxHeldCharacters = 256 * 1024;

/**
 * Output on its way to a log that is kept, without the secrets that its program was given. Held until a line is whole, as a value
 * may come in two pieces; a value of several lines is known by each of them. Without secrets everything passes at once.
 */
export class MaskedOutput {
  readonly #mask: Masker | undefined;
  readonly #to: (chunk: Buffer) => void;
  readonly #decoder = new StringDecoder('utf8');
  #held = '';

  constructor(secrets: readonly string[], to: (chunk: Buffer) => void) {
    this.#mask = secrets.length === 0 ? undefined : createMasker(secrets);
    this.#to = to;
  }

  add(chunk: Buffer): void {
    if (this.#mask === undefined) {
      this.#to(chunk);
      return;
    }
    this.#held += this.#decoder.write(chunk);
    const end = Math.max(this.#held.lastIndexOf('\n'), this.#held.lastIndexOf('\r')) + 1;
    const ready = end === 0 && this.#held.length > maxHeldCharacters ? this.#held.length : end;
    this.#pass(ready);
  }

  /** The rest, when nothing more comes. */
  end(): void {
    this.#held += this.#decoder.end();
    this.#pass(this.#held.length);
  }

  #pass(length: number): void {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    if (text !== '') this.#to(Buffer.from(this.#mask?.(text) ?? text));
  }
}
