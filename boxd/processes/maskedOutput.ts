import { mask, maskedForms } from '../../protocol/maskSecrets.ts';

/** What is held back never grows beyond this, whatever secrets overlap. */
const maxHeldBytes = 1024 * 1024;

/**
 * Output on its way to where it is kept or seen, without the secrets that its program was given. Held back is only what may be the
 * beginning of one, until more comes: a value may come in two pieces, and a live log should not wait for the end of a line. A value of
 * several lines is known by each of them. Without secrets everything passes at once.
 */
export class MaskedOutput {
  /** As the bytes of their UTF-8, one character each: output need not be text. */
  readonly #forms: readonly string[];
  readonly #to: (chunk: Buffer) => void;
  #held = '';

  constructor(secrets: readonly string[], to: (chunk: Buffer) => void) {
    this.#forms = maskedForms(secrets).map((form) => Buffer.from(form).toString('latin1'));
    this.#to = to;
  }

  add(chunk: Buffer): void {
    if (this.#forms.length === 0) {
      this.#to(chunk);
      return;
    }
    this.#held += chunk.toString('latin1');
    const found = this.#find();
    let end = this.#held.length > maxHeldBytes ? this.#held.length : this.#startOfPartial();
    // What reaches into the part that is held back is held back whole: it may go on as another secret.
    for (const span of found) if (span.start < end && span.end > end) end = span.start;
    this.#pass(end, found);
  }

  /** The rest, when nothing more comes. */
  end(): void {
    this.#pass(this.#held.length, this.#find());
  }

  /** Where secrets are, those that touch or overlap as one, from left to right. */
  #find(): Span[] {
    const spans: Span[] = [];
    for (const form of this.#forms) {
      for (let at = this.#held.indexOf(form); at >= 0; at = this.#held.indexOf(form, at + 1)) {
        spans.push({ start: at, end: at + form.length });
      }
    }
    spans.sort((a, b) => a.start - b.start);
    const merged: Span[] = [];
    for (const { start, end } of spans) {
      const last = merged.at(-1);
      if (last !== undefined && start < last.end) last.end = Math.max(last.end, end);
      else merged.push({ start, end });
    }
    return merged;
  }

  /** The first place from which on the text is the beginning of a secret and ends before that does. */
  #startOfPartial(): number {
    const text = this.#held;
    let first = text.length;
    for (const form of this.#forms) {
      const letter = form.charAt(0);
      const from = Math.max(0, text.length - form.length + 1);
      for (let at = text.indexOf(letter, from); at >= 0 && at < first; at = text.indexOf(letter, at + 1)) {
        if (form.startsWith(text.slice(at))) first = at;
      }
    }
    return first;
  }

  #pass(end: number, found: readonly Span[]): void {
    let text = '';
    let at = 0;
    for (const span of found) {
      if (span.end > end) break;
      text += this.#held.slice(at, span.start) + mask;
      at = span.end;
    }
    text += this.#held.slice(at, end);
    this.#held = this.#held.slice(end);
    if (text !== '') this.#to(Buffer.from(text, 'latin1'));
  }
}

interface Span {
  readonly start: number;
  end: number;
}
