const escapeByte = 0x1b;
const bell = 0x07;
const maxTitleBytes = 800;
const maxTitleLength = 200;

type State = 'text' | 'escape' | 'command' | 'title' | 'titleEscape' | 'skip';

/**
 * Finds the window title that programs set by `OSC 0 ; text BEL` and `OSC 2` (ECMA-48, xterm's ctlseqs) in a stream cut
 * anywhere. Costs one search for ESC where there is none.
 */
export class TitleScanner {
  #state: State = 'text';
  #command = '';
  #bytes: number[] = [];
  #title = '';

  get title(): string {
    return this.#title;
  }

  scan(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'text') {
        const next = chunk.indexOf(escapeByte, at);
        if (next < 0) return;
        this.#state = 'escape';
        at = next + 1;
        continue;
      }
      this.#step(chunk[at] ?? 0);
      at++;
    }
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'escape':
        this.#state = byte === 0x5d ? 'command' : byte === escapeByte ? 'escape' : 'text';
        this.#command = '';
        this.#bytes = [];
        return;
      case 'command':
        if (byte >= 0x30 && byte <= 0x39 && this.#command.length < 4) this.#command += String.fromCharCode(byte);
        else if (byte === 0x3b) this.#state = this.#command === '0' || this.#command === '2' ? 'title' : 'skip';
        else this.#leave(byte);
        return;
      case 'title':
        if (byte === bell) this.#finish();
        else if (byte === escapeByte) this.#state = 'titleEscape';
        else if (byte === 0x18 || byte === 0x1a || this.#bytes.length >= maxTitleBytes) this.#state = 'text';
        else this.#bytes.push(byte);
        return;
      case 'titleEscape':
        if (byte === 0x5c) this.#finish();
        else {
          this.#state = 'escape';
          this.#step(byte);
        }
        return;
      default:
        this.#leave(byte);
    }
  }

  #leave(byte: number): void {
    if (byte === escapeByte) this.#state = 'escape';
    else if (byte === bell || this.#state === 'command') this.#state = 'text';
  }

  #finish(): void {
    this.#title = plainTitle(Buffer.from(this.#bytes).toString('utf8'));
    this.#state = 'text';
  }
}

/** What a program says about itself, fit for a list: one line, no control characters, nothing that turns text around. */
function plainTitle(text: string): string {
  return [...text.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029\ufffd]/gu, '')]
    .slice(0, maxTitleLength)
    .join('')
    .trim();
}
