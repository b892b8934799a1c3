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
  /** The package of `docker/npm/package.json` that has it, where a distribution has none. */
  readonly npm?: string;
  /** Where a distribution has none, the Fedora image takes it from its makers' release. */
  readonly release?: boolean;
  /** Why an image lacks it. */
  readonly lacking?: string;
}

export async function readTools(dockerFolder: string): Promise<readonly Tool[]> {
  const { tools } = JSON.parse(await readFile(join(dockerFolder, 'tools.json'), 'utf8')) as { tools: readonly Tool[] };
  return tools;
}
