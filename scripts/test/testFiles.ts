import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** Folders that hold no tests of ours. */
const elsewhere = /(^|\/)(node_modules|dist|\.[^/]+)(\/|$)/;
const alone = /\.alone\.test\.ts$/;
/** A VS Code and a browser each. */
const heavy = /^test\/vscode\//;

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
    together: spreadHeavy(files.filter((file) => !alone.test(file))),
    alone: files.filter((file) => alone.test(file)),
  };
}

/**
 * The same files, with the heavy ones evenly among the others: two of them at once would each be slow, at the end of a run
 * that was idle before.
 */
export function spreadHeavy(files: readonly string[]): string[] {
  const light = files.filter((file) => !heavy.test(file));
  const rest = files.filter((file) => heavy.test(file));
  if (rest.length === 0) return light;
  const perHeavy = Math.ceil(light.length / rest.length);
  return rest.flatMap((file, index) => [file, ...light.slice(index * perHeavy, (index + 1) * perHeavy)]);
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
