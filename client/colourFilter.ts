import { escapes, hidden } from '../protocol/plainText.ts';

/**
 * The output of an agent as it may stand in a person's own terminal: letters and colours. What else a sequence could do there, from the
 * clipboard to questions that the terminal answers into the shell, was meant for a terminal in the box.
 */

/** Select Graphic Rendition, ECMA-48 section 8.3.117. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: ECMA-48 control sequences are what is told apart
const colour = /^\u001b\[[\d;:]*m$/;
const unwanted = new RegExp(`${escapes.source}|(?![\\t\\r\\n])${hidden.source}`, 'gu');
/** A sequence that has begun and may go on in the next piece. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the same
const unfinished = /\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b]*\u001b?|[ -/]*)$/;
const maxUnfinishedLength = 4096;

export class ColourFilter {
  readonly #decoder = new TextDecoder();
  #held = '';

  /** @param bytes the next ones, cut anywhere; undefined at the end */
  add(bytes: Uint8Array | undefined): string {
    const text =
      this.#held + (bytes === undefined ? this.#decoder.decode() : this.#decoder.decode(bytes, { stream: true }));
    const begun = bytes === undefined ? undefined : unfinished.exec(text.slice(-maxUnfinishedLength))?.[0];
    this.#held = begun ?? '';
    const whole = text.slice(0, text.length - this.#held.length);
    return whole.replaceAll(unwanted, (found) => (colour.test(found) ? found : ''));
  }
}
