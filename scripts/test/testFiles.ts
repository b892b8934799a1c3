import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** Folders whose tests another runner runs, or that hold none of ours. */
const elsewhere = /(^|\/)(node_modules|dist|\.[^/]+)(\/|$)|^test\/vscode(\/|$)/;

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
 * Which of the variables the tests read, in their own text or in that of what they import: so that a test of a pure rule
 * starts no engine.
 * @param names such as `SPOON_TEST_DOCKER_HOST`
 */
export async function variablesRead(
  root: string,
  files: readonly string[],
  names: readonly string[],
): Promise<Set<string>> {
  const read = new Set<string>();
  const seen = new Set<string>();
  const waiting = files.map((file) => join(root, file));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const name of names) if (text.includes(name)) read.add(name);
    for (const [, path] of text.matchAll(/(?:from|import) '(\.{1,2}\/[^']+\.ts)'/g)) {
      if (path !== undefined) waiting.push(resolve(dirname(file), path));
    }
  }
  return read;
}
