import type { TerminalState } from '../../protocol/boxd.ts';
import { onOneLine } from '../../protocol/plainText.ts';
import { clampSize, type Terminal } from '../../protocol/terminals.ts';

const shownCharacters = 200;

/** What a box says of its terminals is shown in lists and trees (row 68): no control characters, no endless titles. */
export function plainTerminal(id: string, terminal: TerminalState): Terminal {
  const { title, cwd, createdMs, viewers, busy, lastLine = '', thread } = terminal;
  const texts = { title: plainText(title), cwd: plainText(cwd), lastLine: plainText(lastLine) };
  const inThread = thread === undefined ? {} : { thread: plainText(thread) };
  return { id, createdMs, viewers, busy, ...texts, ...clampSize(terminal), ...inThread };
}

export function plainText(text: string): string {
  return onOneLine(text).slice(0, shownCharacters);
}
