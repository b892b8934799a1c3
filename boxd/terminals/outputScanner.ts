import { reportedFolder } from './reportedFolder.ts';

const escapeByte = 0x1b;
const bell = 0x07;
/** A folder has at most 4096 bytes, each of which OSC 7 may write as three; and a host before it. */
const maxValueBytes = 3 * 4096 + 300;
const maxTitleBytes = 800;
const maxTitleLength = 200;
/** Commands of an operating system control whose value is kept. */
const keptCommands = new Set(['0', '2', '7', '633']);
const maxSequenceBytes = 64;

type State = 'text' | 'escape' | 'csi' | 'command' | 'value' | 'valueEscape' | 'skip';

/** DEC private modes that a viewer's terminal must have as the program left them (xterm's ctlseqs), with their default. */
const keptModes = new Map<number, boolean>([
  [1, false],
  [7, true],
  [25, true],
  ...[9, 45, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004].map((mode): [number, boolean] => [mode, false]),
]);
const alternateScreenModes = new Set([47, 1047, 1049]);

/**
 * Follows, in a stream cut anywhere, what stays set whatever scrolls by: the window title (`OSC 0` and `OSC 2`), the
 * folder (`OSC 7`, `OSC 633 ; P ; Cwd=`), the private modes, and which screen is shown (ECMA-48, xterm's ctlseqs). Costs one search for ESC where there is none.
 */
export class OutputScanner {
  #state: State = 'text';
  #sequence = '';
  #bytes: number[] = [];
  #title = '';
  #folder: string | undefined;
  #keypad = false;
  #alternateScreen = false;
  #firstSwitch: boolean | undefined;
  #cursorShape = '';
  readonly #modes = new Map<number, boolean>();

  get title(): string {
    return this.#title;
  }

  /** Where a shell last said that it is: the innermost one, also within another program. */
  get folder(): string | undefined {
    return this.#folder;
  }

  /** A full-screen program draws. */
  get alternateScreen(): boolean {
    return this.#alternateScreen;
  }

  /** To which screen it went when it was first changed: true for the alternate one. */
  get firstSwitch(): boolean | undefined {
    return this.#firstSwitch;
  }

  /** Sets a fresh terminal's modes as they are now. */
  get modeSequences(): string {
    const changed = [...this.#modes].filter(([mode, on]) => on !== keptModes.get(mode));
    const sequences = changed.map(([mode, on]) => `\x1b[?${mode}${on ? 'h' : 'l'}`);
    return sequences.join('') + (this.#keypad ? '\x1b=' : '') + this.#cursorShape;
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
        this.#onEscape(byte);
        return;
      case 'csi':
        this.#onCsi(byte);
        return;
      case 'command':
        if (byte >= 0x30 && byte <= 0x39 && this.#sequence.length < 4) this.#sequence += String.fromCharCode(byte);
        else if (byte === 0x3b) this.#state = keptCommands.has(this.#sequence) ? 'value' : 'skip';
        else this.#leave(byte);
        return;
      case 'value':
        if (byte === bell) this.#finishValue();
        else if (byte === escapeByte) this.#state = 'valueEscape';
        else if (byte === 0x18 || byte === 0x1a || this.#bytes.length >= this.#maxBytes) this.#state = 'text';
        else this.#bytes.push(byte);
        return;
      case 'valueEscape':
        if (byte === 0x5c) this.#finishValue();
        else {
          this.#state = 'escape';
          this.#step(byte);
        }
        return;
      default:
        this.#leave(byte);
    }
  }

  #onEscape(byte: number): void {
    this.#state = byte === 0x5b ? 'csi' : byte === 0x5d ? 'command' : byte === escapeByte ? 'escape' : 'text';
    this.#sequence = '';
    this.#bytes = [];
    if (byte === 0x3d) this.#keypad = true;
    else if (byte === 0x3e) this.#keypad = false;
    else if (byte === 0x63) this.#reset();
  }

  #onCsi(byte: number): void {
    if (byte >= 0x20 && byte <= 0x3f && this.#sequence.length < maxSequenceBytes) {
      this.#sequence += String.fromCharCode(byte);
      return;
    }
    this.#state = byte === escapeByte ? 'escape' : 'text';
    const isSet = byte === 0x68;
    if (byte === 0x71 && /^\d* $/.test(this.#sequence)) this.#cursorShape = `\x1b[${this.#sequence}q`;
    if ((isSet || byte === 0x6c) && this.#sequence.startsWith('?')) {
      for (const mode of this.#sequence.slice(1).split(';')) this.#setMode(Number(mode), isSet);
    }
  }

  #setMode(mode: number, on: boolean): void {
    if (alternateScreenModes.has(mode)) {
      this.#firstSwitch ??= on;
      this.#alternateScreen = on;
    } else if (keptModes.has(mode)) {
      this.#modes.set(mode, on);
    }
  }

  /** RIS: everything as at the start. */
  #reset(): void {
    this.#firstSwitch ??= false;
    this.#alternateScreen = false;
    this.#keypad = false;
    this.#cursorShape = '';
    this.#modes.clear();
  }

  #leave(byte: number): void {
    if (byte === escapeByte) this.#state = 'escape';
    else if (byte === bell || this.#state === 'command') this.#state = 'text';
  }

  get #maxBytes(): number {
    return this.#sequence === '0' || this.#sequence === '2' ? maxTitleBytes : maxValueBytes;
  }

  #finishValue(): void {
    const value = Buffer.from(this.#bytes).toString('utf8');
    if (this.#sequence === '7' || this.#sequence === '633') this.#folder = reportedFolder(value) ?? this.#folder;
    else this.#title = plainTitle(value);
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
