import { checkBranchName } from '../protocol/branchName.ts';
import { type HomePath, parseHomePath, repairHomePath } from '../protocol/homePath.ts';
import { checkSpoonName } from '../protocol/spoonName.ts';
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
 * The name of a thread: `api/feat/x` is the branch `feat/x` of the spoon `api`.
 * @throws SpoonError `branch-invalid`, UsageError
 */
export function checkThreadName(thread: string): string {
  const slash = thread.indexOf('/');
  if (slash < 1) throw new UsageError(`"${thread}" is not a thread. Give it as SPOON/BRANCH, such as api/main.`);
  return `${checkSpoonName(thread.slice(0, slash))}/${checkBranchName(thread.slice(slash + 1))}`;
}
