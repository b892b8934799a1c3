import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../runCommand.ts';

/** Folders at the top that hold no code of ours. Everything else is cruised, so that a new folder is denied until it is listed. */
const notCode = new Set(['node_modules', 'dist', 'media', 'docs']);

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string; readonly severity: string };
    }[];
  };
}

/**
 * Checks every import against the table in `.dependency-cruiser.cjs`. A cruise that reads nothing ends with 0 (as it does
 * when its parser does not know the TypeScript at hand), so the modules it saw are compared with the files there are.
 * @returns one line per problem; none when all is well
 */
export async function checkBoundaries(root: string): Promise<string[]> {
  const files = await sourceFiles(root);
  const folders = [...new Set(files.map((file) => file.slice(0, file.indexOf('/'))))];
  const { code, stdout, stderr } = await runCommand(
    join(root, 'node_modules', '.bin', 'depcruise'),
    ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders],
    { cwd: root },
  );
  if (!stdout.startsWith('{')) return [`dependency-cruiser ended with ${code}: ${stderr.trim()}`];
  const { modules, summary } = JSON.parse(stdout) as Cruise;
  const problems = summary.violations
    .filter(({ rule }) => rule.severity === 'error')
    .map(({ from, to, rule }) => `${from} → ${to}  (${rule.name})`);
  const seen = new Set(modules.map(({ source }) => source));
  const unseen = files.filter((file) => !seen.has(file));
  if (unseen.length > 0)
    problems.push(`Not looked at (${unseen.length} of ${files.length} files): ${unseen.join(', ')}`);
  return problems;
}

/** All TypeScript sources, relative to `root`, `/`-separated. */
async function sourceFiles(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of await readdir(root, { withFileTypes: true })) {
    if (!folder.isDirectory() || folder.name.startsWith('.') || notCode.has(folder.name)) continue;
    for (const entry of await readdir(join(root, folder.name), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const file = join(entry.parentPath, entry.name).slice(root.length + 1);
      if (!file.split('/').some((part) => part === 'node_modules' || part === 'dist')) found.push(file);
    }
  }
  return found.sort();
}
