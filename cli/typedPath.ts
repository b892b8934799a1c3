import { checkBranchName } from '../protocol/branchName.ts';
import { type HomePath, parseHomePath, repairHomePath } from '../protocol/homePath.ts';
import { UsageError } from './commandLine.ts';

/**
 * The dotfile that a person means. The shell here has already turned `~/.bashrc` into a path below the home on this
 * machine, so that prefix goes too; everything else is relative to the home, never to the current folder.
 * @throws SpoonError `path-…`
 */
export function typedHomePath(typed: string, homes: { localHome: string; username: string | undefined }): HomePath {
  const local = `${homes.localHome}/`;
  const inHome = typed.startsWith(local) ? typed.slice(local.length) : typed;
  return parseHomePath(repairHomePath(inHome, homes.username));
}

/**
 * The folder of a thread below the home: `api/feat/x` is the branch `feat/x` of the spoon `api`.
 * @throws SpoonError `branch-invalid`, UsageError
 */
export function threadFolder(thread: string): string {
  const slash = thread.indexOf('/');
  const spoon = thread.slice(0, slash);
  if (slash < 1 || !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(spoon)) {
    throw new UsageError(`"${thread}" is not a thread. Give it as SPOON/BRANCH, such as api/main.`);
  }
  return `Code/${spoon}/${checkBranchName(thread.slice(slash + 1))}`;
}
