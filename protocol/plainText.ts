/**
 * What a box, a repository or a program says is shown in lists, logs and messages as text and nothing else, whatever it tries
 * (rows 68 and 88): the one rule for what a terminal or a reader could take for more.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: ECMA-48 control sequences and strings are what is taken out
export const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;
/** Controls, line and paragraph separators, and what turns the direction of writing. */
export const hidden = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;
const someHidden = new RegExp(hidden, 'u');
const hiddenRuns = /[\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu;

/** @param substitute stands for each character that cannot be shown */
export function withoutHidden(text: string, substitute = ''): string {
  return text.toWellFormed().replaceAll(hidden, substitute);
}

export function onOneLine(text: string): string {
  return text.toWellFormed().replaceAll(hiddenRuns, ' ');
}

/** The lines of a program's output, without colours; of one that was written over and over, such as a progress bar, the last form. */
export function printedLines(text: string): string[] {
  return text.toWellFormed().replaceAll(escapes, '').split('\n').map(lastForm);
}

/** No regular expression: from every `\r` of a line full of them it would look for the end again. */
function lastForm(line: string): string {
  let end = line.length;
  while (line[end - 1] === '\r') end--;
  return line.slice(line.lastIndexOf('\r', end - 1) + 1, end);
}

/** What a program printed, for an editor or a search: without colours and controls. Tabs stay: logs are tables at times. */
export function plainLog(text: string): string {
  return printedLines(text)
    .map((line) => plainLine(line).trimEnd())
    .join('\n');
}

/**
 * A file as it is read before it is trusted: what cannot be shown stands out, instead of hiding what is beside it. Tabs stay, and
 * the `\r` at the ends of lines goes.
 */
export function visibleText(text: string): string {
  return text
    .toWellFormed()
    .split('\n')
    .map((line) => plainLine(line.endsWith('\r') ? line.slice(0, -1) : line, '\ufffd'))
    .join('\n');
}

function plainLine(line: string, substitute = ''): string {
  if (!someHidden.test(line)) return line;
  return line
    .split('\t')
    .map((part) => withoutHidden(part, substitute))
    .join('\t');
}
