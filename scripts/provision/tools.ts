import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One line of `docker/tools.json`: a command people may count on, and the package that has it. */
export interface Tool {
  readonly command: string;
  readonly fedora: string | null;
  readonly debian: string | null;
  /** Where the package names the program differently. */
  readonly debianCommand?: string;
  /** Why it is not there under its own name. */
  readonly lacking?: string;
}

export interface ToolTable {
  readonly tools: readonly Tool[];
  readonly support: { readonly fedora: readonly string[]; readonly debian: readonly string[] };
}

export async function readTools(dockerFolder: string): Promise<ToolTable> {
  return JSON.parse(await readFile(join(dockerFolder, 'tools.json'), 'utf8')) as ToolTable;
}
