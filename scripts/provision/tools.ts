import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One line of `docker/tools.json`: a command people may count on, and the package that has it. */
interface Tool {
  /** Null: no command of its own, the others need it. */
  readonly command: string | null;
  readonly fedora: string | null;
  readonly debian: string | null;
  /** Where the package names the program differently. */
  readonly debianCommand?: string;
  /** Why it is not there under its own name. */
  readonly lacking?: string;
}

export async function readTools(dockerFolder: string): Promise<readonly Tool[]> {
  const { tools } = JSON.parse(await readFile(join(dockerFolder, 'tools.json'), 'utf8')) as { tools: readonly Tool[] };
  return tools;
}
