/**
 * Whether an object of the text has a name twice. JSON.parse silently keeps the last one (RFC 8259 section 4 leaves it open),
 * so a check in front of the service may have read the other one.
 * @param text that is valid JSON
 * @param value what it was parsed to
 */
export function repeatsName(text: string, value: unknown): boolean {
  return namesWritten(text) !== namesKept(value);
}

/** Strings with a colon behind them. */
function namesWritten(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start !== -1; ) {
    let end = text.indexOf('"', start + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    let next = end + 1;
    while (' \t\r\n'.includes(text[next] ?? '"')) next++;
    if (text[next] === ':') count++;
    start = text.indexOf('"', end + 1);
  }
  return count;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

/** With a list of its own instead of recursion: a body may be a hundred thousand levels deep. */
function namesKept(value: unknown): number {
  let count = 0;
  const pending = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null) continue;
    const inside = Object.values(next);
    if (!Array.isArray(next)) count += inside.length;
    for (const one of inside) pending.push(one);
  }
  return count;
}
