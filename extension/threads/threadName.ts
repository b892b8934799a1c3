import { checkBranchName } from '../../protocol/branchName.ts';
import { SpoonError } from '../../protocol/errors.ts';

/** A place to open a terminal in: the home, or a thread's folder `~/Code/{spoon}/{branch}`. */
export interface ThreadPlace {
  /** What a person calls it: `api/main`, or `Home`. */
  readonly name: string;
  /** Relative to the home; undefined for the home itself. */
  readonly cwd: string | undefined;
  /** A thread that the service knows, and not just a folder. */
  readonly isThread?: boolean;
}

export const home: ThreadPlace = { name: 'Home', cwd: undefined };

/** The folder's name is the repository's, as hosts allow them. */
const spoonName = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

/**
 * What a person types for a thread: `api/main`, `api/feat/x`, also as `~/Code/api/main`.
 * @throws SpoonError `request-invalid` or `branch-invalid`
 */
export function parseThread(typed: string): ThreadPlace {
  const text = typed
    .trim()
    .replace(/^(~\/|\.\/)?(Code\/)?/, '')
    .replace(/\/+$/, '');
  const slash = text.indexOf('/');
  const spoon = slash === -1 ? text : text.slice(0, slash);
  if (slash === -1) throw new SpoonError('request-invalid', 'Type spoon/branch, such as api/main.');
  if (!spoonName.test(spoon)) throw new SpoonError('request-invalid', `"${spoon}" cannot be the name of a spoon.`);
  const branch = checkBranchName(text.slice(slash + 1));
  return { name: `${spoon}/${branch}`, cwd: `Code/${spoon}/${branch}` };
}

const keptThreads = 10;

/** Most recent first, each once. */
export function rememberThread(recent: readonly string[], name: string): string[] {
  return [name, ...recent.filter((other) => other !== name)].slice(0, keptThreads);
}
