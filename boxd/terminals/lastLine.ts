import { stripVTControlCharacters } from 'node:util';

/** Enough for one long line with its colours. */
const lookedAtBytes = 4096;
const maxLength = 200;

interface Ring {
  readonly start: number;
  readonly end: number;
  copy(from: number, to: number): Buffer;
}

/**
 * What was printed last, for a list: one line of plain text. Read off the bytes and not off a screen, so that asking is
 * cheap; right for what scrolls by, and not for a program that draws.
 */
export function lastLine(ring: Ring): string {
  const text = ring.copy(Math.max(ring.start, ring.end - lookedAtBytes), ring.end).toString('utf8');
  const lines = stripVTControlCharacters(text).split('\n');
  return lines.map(shown).findLast((line) => line !== '') ?? '';
}

/** A carriage return begins the line again, as progress bars do. */
function shown(line: string): string {
  const typed = line.split('\r').findLast((part) => part.trim() !== '') ?? '';
  return [...typed.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029\ufffd]/gu, '')]
    .slice(0, maxLength)
    .join('')
    .trim();
}
