/**
 * Follows terminal output far enough to know where something may be inserted unseen: between two control functions, never
 * inside an escape sequence. The states are those of the DEC parser (vt100.net/emu/dec_ansi_parser) as xterm.js has them.
 */

type State = 'ground' | 'escape' | 'escapeIntermediate' | 'controlSequence' | 'string';

const escapeByte = 0x1b;
const cancel = 0x18;
const substitute = 0x1a;
const bell = 0x07;
/** Longest parameter text that is looked at; a mode switch is shorter. */
const keptParameters = 32;

export class VtState {
  #state: State = 'ground';
  #isOsc = false;
  #parameters = '';
  #onAlternateScreen = false;

  get isGround(): boolean {
    return this.#state === 'ground';
  }

  /** A full-screen program has the screen: a line of our own would stay in its picture. */
  get isOnAlternateScreen(): boolean {
    return this.#onAlternateScreen;
  }

  reset(): void {
    this.#state = 'ground';
    this.#onAlternateScreen = false;
  }

  /**
   * @returns the index just after the last control function that ended inside `text`, or -1. An insertion there changes
   * nothing: no sequence is open, no character is waiting for a combining one or for a repetition (CSI b).
   */
  feed(text: string): number {
    let safe = -1;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      // Printable text is nearly everything, and needs no look at all.
      if (this.#state === 'ground' && code >= 0x20 && (code < 0x7f || code > 0x9f)) continue;
      this.#step(code);
      if (this.#state === 'ground') safe = index + 1;
    }
    return safe;
  }

  #step(code: number): void {
    if (code === cancel || code === substitute) {
      this.#state = 'ground';
    } else if (code === escapeByte) {
      // Inside a string too: ESC ends it, and the backslash that follows is then a control function of its own.
      this.#state = 'escape';
    } else if (code >= 0x80 && code <= 0x9f) {
      this.#introduceC1(code);
    } else if (this.#state === 'escape') {
      this.#afterEscape(code);
    } else if (this.#state === 'escapeIntermediate') {
      if (code >= 0x30 && code <= 0x7e) this.#state = 'ground';
    } else if (this.#state === 'controlSequence') {
      this.#inControlSequence(code);
    } else if (this.#state === 'string' && this.#isOsc && code === bell) {
      this.#state = 'ground';
    }
  }

  /** The 8-bit forms of ESC [ and its kin (ECMA-48 section 5.3). */
  #introduceC1(code: number): void {
    if (code === 0x9b) this.#openControlSequence();
    else if (code === 0x90 || code === 0x98 || code === 0x9d || code === 0x9e || code === 0x9f) {
      this.#state = 'string';
      this.#isOsc = code === 0x9d;
    } else this.#state = 'ground';
  }

  #afterEscape(code: number): void {
    const character = String.fromCharCode(code);
    if (character === '[') this.#openControlSequence();
    else if (']PX^_'.includes(character)) {
      this.#state = 'string';
      this.#isOsc = character === ']';
    } else if (code >= 0x20 && code <= 0x2f) this.#state = 'escapeIntermediate';
    else if (code >= 0x30 && code <= 0x7e) {
      this.#state = 'ground';
      // RIS, a full reset, leaves the alternate screen.
      if (character === 'c') this.#onAlternateScreen = false;
    }
  }

  #openControlSequence(): void {
    this.#state = 'controlSequence';
    this.#parameters = '';
  }

  #inControlSequence(code: number): void {
    if (code >= 0x40 && code <= 0x7e) {
      this.#state = 'ground';
      const isSet = code === 0x68;
      if ((isSet || code === 0x6c) && /^\?([\d;]*;)?(47|1047|1049)(;|$)/.test(this.#parameters)) {
        this.#onAlternateScreen = isSet;
      }
    } else if (code >= 0x20 && this.#parameters.length < keptParameters) {
      this.#parameters += String.fromCharCode(code);
    }
  }
}
