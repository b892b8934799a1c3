import { windowCreditBytes } from '../../protocol/limits.ts';
import { VtState } from './vtState.ts';

/**
 * Which output VS Code has really drawn. Its extension terminals have no back-pressure of their own, so a question that only
 * we ask rides in the output: xterm.js answers DECRQM for an unknown private mode (`CSI ? N $ p` with `CSI ? N ; 0 $ y`)
 * when it comes to it. Without this a flood costs 700 MiB and 15 s to stop, with it 4 MiB and a fifth of a second.
 *
 * Programs ask DSR and DA, so those cannot be told apart; and N is drawn anew each time, so that a program cannot answer
 * for the terminal by printing our question.
 */

const askEveryBytes = windowCreditBytes / 4;
/** With no safe place for so long (one endless line, a picture), the end of the text has to do, or no question at all. */
const giveUpBytes = windowCreditBytes / 2;
export const answerTimeoutMs = 2_000;

export interface RenderCreditOptions {
  /** 32 random bits. */
  readonly random: () => number;
  /** Everything before this offset was drawn, or is taken for drawn. */
  readonly onShown: (offset: number) => void;
  /** Calls back once after `ms`; the result takes that back. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

interface Question {
  readonly offset: number;
  readonly forget: () => void;
  readonly onAnswer: () => void;
}

export class RenderCredit {
  readonly vt = new VtState();
  readonly #options: RenderCreditOptions;
  readonly #asked = new Map<number, Question>();
  #decoder = newDecoder();
  #unaskedBytes = 0;

  constructor(options: RenderCreditOptions) {
    this.#options = options;
  }

  /** Bytes of the terminal as text for the screen, whole characters only. `endOffset` is that after the last byte. */
  show(bytes: Uint8Array, endOffset: number): string {
    const text = this.#decoder.decode(bytes, { stream: true });
    const safe = this.vt.feed(text);
    this.#unaskedBytes += bytes.length;
    if (this.#unaskedBytes < askEveryBytes) return text;
    // The bytes after the insertion count as drawn with it; at most one chunk, which is half a window.
    if (safe !== -1) return text.slice(0, safe) + this.#ask(endOffset) + text.slice(safe);
    if (this.#unaskedBytes < giveUpBytes) return text;
    if (this.vt.isGround) return text + this.#ask(endOffset);
    this.#unaskedBytes = 0;
    this.#options.onShown(endOffset);
    return text;
  }

  /** A question for the end of what was shown, or nothing where none may be put in. @param onAnswer once, also by timeout */
  askNow(endOffset: number, onAnswer: () => void): string {
    return this.vt.isGround ? this.#ask(endOffset, onAnswer) : '';
  }

  /** Takes our answers out of what the terminal sends; the rest is for the shell. */
  takeAnswers(input: string): string {
    if (!input.includes('$y')) return input;
    return input.replace(/\x1b\[\?(\d+);\d\$y/g, (report, number: string) => {
      const question = this.#asked.get(Number(number));
      if (question === undefined) return report;
      this.#settle(Number(number), question);
      return '';
    });
  }

  /** Another connection counts its credit anew; the output goes on with the byte after the last one. */
  forgetQuestions(): void {
    for (const { forget } of this.#asked.values()) forget();
    this.#asked.clear();
    this.#unaskedBytes = 0;
  }

  /** Output is missing: what comes next is the middle of something else. */
  startOver(): void {
    this.forgetQuestions();
    this.#decoder = newDecoder();
    this.vt.reset();
  }

  #ask(offset: number, onAnswer: () => void = () => {}): string {
    this.#unaskedBytes = 0;
    // Six to ten digits: far from every mode there is, within xterm.js's 31 bits.
    const number = 1_000_000 + (this.#options.random() >>> 2);
    const forget = this.#options.after(answerTimeoutMs, () => {
      const question = this.#asked.get(number);
      if (question !== undefined) this.#settle(number, question);
    });
    this.#asked.set(number, { offset, forget, onAnswer });
    return `\x1b[?${number}$p`;
  }

  /** The terminal answers in order, so what was asked earlier has been drawn too. */
  #settle(number: number, { offset }: Question): void {
    for (const [earlier, question] of this.#asked) {
      question.forget();
      this.#asked.delete(earlier);
      question.onAnswer();
      if (earlier === number) break;
    }
    this.#options.onShown(offset);
  }
}

/** A byte order mark is output like any other. */
const newDecoder = () => new TextDecoder('utf-8', { ignoreBOM: true });
