// Control characters but line feed, and what turns the direction of text: it comes from elsewhere and could rewrite the
// screen, the title or the clipboard, or show one thing and mean another (CVE-2021-42574).
const unsafe = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu;

/** Text from the service as it may stand in a terminal: control characters become `\x1b`, `\u202e`; line feeds stay. */
export function safeText(text: string): string {
  return text.replaceAll(unsafe, escapeOf);
}

/** The same in one line. */
export function safeLine(text: string): string {
  return safeText(text).replaceAll('\n', '\\n');
}

/** JSON that a terminal may show too; for a program it is the same document. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(unsafe, (found) => `\\u${hex(found, 4)}`);
}

function escapeOf(character: string): string {
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  return character.charCodeAt(0) < 0x100 ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
}

function hex(character: string, width: number): string {
  return character.charCodeAt(0).toString(16).padStart(width, '0');
}
