import { asPlainText } from '../failure.ts';

/** Lines of our own in a terminal: dim, named, and with nothing in them that a terminal could take for a control. */

const dim = (text: string): string => `\x1b[2m${text}\x1b[22m`;

/** A line that stays. */
export function noticeLine(text: string): string {
  return `\r\n${dim(`[Spoon] ${asPlainText(text)}`)}\r\n`;
}

/** A line that is written over by the next one, or by nothing. */
export function statusLine(text: string): string {
  return `\r\x1b[2K${dim(asPlainText(text))}`;
}

export const clearStatus = '\r\x1b[2K';

/** RIS: an empty screen, nothing above it, every mode as at first. */
export const resetTerminal = '\x1bc';

/**
 * A line below the cursor that can be taken back: IND and RI make room for it without moving the column, DECSC keeps the
 * place. The program whose screen it is never knows.
 * @param columns one row is all that is made room for and taken back, so it is cut there
 */
export function passingLine(text: string, columns: number): { readonly show: string; readonly clear: string } {
  const whole = `[Spoon] ${asPlainText(text)}`;
  const line = whole.length < columns ? whole : `${whole.slice(0, Math.max(0, columns - 2))}…`;
  return { show: `\x1bD\x1bM\x1b7\x1bD\r${dim(line)}`, clear: '\r\x1b[2K\x1b8' };
}

/**
 * What a terminal answers by itself to questions in the output: device attributes, positions, modes, colours. After a
 * replay of old output the questions in it were answered long ago, and the shell would take a second answer for typing.
 */
const reports =
  /\x1b\[[?>=]?[\d;]*[cRn]|\x1b\[\?[\d;]*\$y|\x1b\[[\d;]*\$y|\x1bP[^\x1b]*\x1b\\|\x1b\][^\x07\x1b]*(\x07|\x1b\\)/g;

export function withoutReports(input: string): string {
  return input.replaceAll(reports, '');
}

/** A replay starts anywhere: the first whole line is where it can be read from, without the colours of what is missing. */
export function fromFirstLine(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0x0a);
  return end === -1 ? bytes : bytes.subarray(end + 1);
}
