/**
 * Takes the values of secrets out of a text that is kept: as they are, in base64 at any of its three alignments, and as a part
 * of a URL. A program that changes a value in another way (hex, reversed, in two halves) gets past it.
 */

/** Shorter ones would take out half of every text. */
const minCharacters = 8;
export const mask = '***';
const base64Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export type Masker = (text: string) => string;

/** @param values of which those shorter than 8 characters are left as they are */
export function createMasker(values: readonly string[]): Masker {
  const forms = maskedForms(values);
  return (text) => forms.reduce((masked, form) => masked.replaceAll(form, mask), text);
}

/** All texts that stand for one of the values. The longest first: one value may be the beginning of another. */
export function maskedForms(values: readonly string[]): string[] {
  const forms = new Set<string>();
  for (const value of values) {
    // A log has a value of several lines in several lines, and a terminal ends them otherwise.
    for (const part of [value, value.trim(), ...value.split(/\r?\n/)]) {
      if ([...part].length < minCharacters) continue;
      for (const form of formsOf(part)) forms.add(form);
    }
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

function formsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const quoted = JSON.stringify(value).slice(1, -1);
  const percent = percentEncoded(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  const lower = percentEncoded(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  const forms = [value, quoted, percent, lower, percent.replaceAll('%20', '+')];
  for (const before of [0, 1, 2]) {
    const digits = base64Core(bytes, before);
    forms.push(digits, digits.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms.filter((form) => form.length >= minCharacters);
}

/** As `encodeURIComponent`, whose set of letters is `A-Z a-z 0-9 - _ . ! ~ * ' ( )`. */
function percentEncoded(bytes: Uint8Array, hex: (byte: number) => string): string {
  let text = '';
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte);
    text += /[A-Za-z0-9\-_.!~*'()]/.test(letter) ? letter : `%${hex(byte)}`;
  }
  return text;
}

/** The digits that the bytes alone decide, with `before` bytes in front of them and anything after. */
function base64Core(bytes: Uint8Array, before: number): string {
  const padded = new Uint8Array(before + bytes.length);
  padded.set(bytes, before);
  let digits = '';
  for (let at = 0; at + 2 < padded.length; at += 3) {
    const three = ((padded[at] ?? 0) << 16) | ((padded[at + 1] ?? 0) << 8) | (padded[at + 2] ?? 0);
    for (const shift of [18, 12, 6, 0]) digits += base64Digits[(three >> shift) & 63];
  }
  return digits.slice(before === 0 ? 0 : before + 1);
}
