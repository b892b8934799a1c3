import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** Folders that hold no tests of ours. */
const elsewhere = /(^|\/)(node_modules|dist|\.[^/]+)(\/|$)/;
const alone = /\.alone\.test\.ts$/;
/** A VS Code and a browser each. */
const heavy = /^test\/vscode\//;
/** Whole services and boxes. */
const long = /^test\//;

/** All `*.test.ts`, relative to `root` and sorted; with filters, those whose path contains one of them. */
export async function findTestFiles(root: string, filters: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (!entry.isDirectory() || elsewhere.test(entry.name)) continue;
    for (const inside of await readdir(join(root, entry.name), { recursive: true, withFileTypes: true })) {
      const file = join(inside.parentPath, inside.name).slice(root.length + 1);
      if (inside.isFile() && file.endsWith('.test.ts') && !elsewhere.test(file)) found.push(file);
    }
  }
  return found.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter))).sort();
}

/**
 * Tests that hold times against limits are called `x.alone.test.ts` and run one by one after all others: beside a busy
 * neighbour they would measure that.
 */
export function splitAlone(files: readonly string[]): { together: string[]; alone: string[] } {
  return {
    together: files.filter((file) => !alone.test(file)),
    alone: files.filter((file) => alone.test(file)),
  };
}

/**
 * Which one to begin next: one with a VS Code is always under way, for these are the longest, and two at once would each be
 * slow; beside it those that bring up whole services, and last the short ones, so that no processor is idle at the end.
 */
export function nextFile(waiting: readonly string[], running: ReadonlySet<string>): string | undefined {
  const heavyWaits = waiting.find((file) => heavy.test(file));
  if (heavyWaits !== undefined && ![...running].some((file) => heavy.test(file))) return heavyWaits;
  const light = waiting.filter((file) => !heavy.test(file));
  return light.find((file) => long.test(file)) ?? light[0] ?? heavyWaits;
}

/**
 * Which of the marks stand in the tests, in their own text or in that of what they import: so that a test of a pure rule
 * starts no engine and brings no browser.
 * @param marks names such as that of a variable or a function
 */
export async function marksFound(
  root: string,
  files: readonly string[],
  marks: readonly string[],
): Promise<Set<string>> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const waiting = files.map((file) => join(root, file));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const mark of marks) if (text.includes(mark)) found.add(mark);
    for (const [, path] of text.matchAll(/(?:from|import) '(\.{1,2}\/[^']+\.ts)'/g)) {
      if (path !== undefined) waiting.push(resolve(dirname(file), path));
    }
  }
  return found;
}
