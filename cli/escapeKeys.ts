const tilde = 0x7e;
const dot = 0x2e;
const questionMark = 0x3f;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

export type Asked = 'nothing' | 'detach' | 'help';

/** The escapes of ssh, right after Enter: `~.` leaves, `~?` explains, `~~` types one `~`. Everything else goes through. */
export class EscapeKeys {
  #isLineStart = true;
  #isPending = false;

  /** What of the keys goes on, and what was asked for; nothing after a detach is looked at. */
  feed(keys: Uint8Array): { forward: Uint8Array; asked: Asked } {
    const forward: number[] = [];
    let asked: Asked = 'nothing';
    for (const key of keys) {
      if (this.#isPending) {
        this.#isPending = false;
        if (key === dot) return { forward: Uint8Array.from(forward), asked: 'detach' };
        if (key === questionMark) {
          asked = 'help';
          this.#isLineStart = true;
          continue;
        }
        forward.push(tilde);
        this.#isLineStart = false;
        if (key === tilde) continue;
      } else if (this.#isLineStart && key === tilde) {
        this.#isPending = true;
        continue;
      }
      forward.push(key);
      this.#isLineStart = key === carriageReturn || key === lineFeed;
    }
    return { forward: Uint8Array.from(forward), asked };
  }
}
