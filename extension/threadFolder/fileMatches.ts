/** Which files a few typed letters mean, best first. No VS Code in here. */

const scores = { atWordStart: 8, afterLast: 6, inName: 3, any: 1 } as const;

/**
 * Every letter must be there, in order. More counts what begins a word, follows the letter before, or is in the file's name.
 * Undefined where it does not match.
 */
export function scorePath(path: string, typed: string): number | undefined {
  const text = path.toLowerCase();
  const nameStart = path.lastIndexOf('/') + 1;
  const wanted = typed.toLowerCase().replaceAll(/\s+/g, '');
  if (wanted === '') return 0;
  const name = text.slice(nameStart);
  if (name === wanted) return 10_000 - path.length;
  if (name.startsWith(wanted)) return 5_000 - path.length;
  if (name.includes(wanted)) return 3_000 - path.length;
  if (text.includes(wanted)) return 2_000 - path.length;
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1);
    if (next === -1) return undefined;
    if (next === at + 1) score += scores.afterLast;
    else if (next === 0 || /[/._\- ]/.test(text[next - 1] ?? '')) score += scores.atWordStart;
    score += next >= nameStart ? scores.inName : scores.any;
    at = next;
  }
  return score - path.length / 100;
}

/** The best of many; with nothing typed the first ones as they are. */
export function bestPaths(paths: readonly string[], typed: string, count: number): string[] {
  if (typed.trim() === '') return paths.slice(0, count);
  const found: { path: string; score: number }[] = [];
  for (const path of paths) {
    const score = scorePath(path, typed);
    if (score !== undefined) found.push({ path, score });
  }
  found.sort((one, other) => other.score - one.score);
  return found.slice(0, count).map(({ path }) => path);
}
