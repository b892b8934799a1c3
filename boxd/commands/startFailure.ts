import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** Exit codes as a POSIX shell has them (sh, "Exit Status for Commands"). */
const notFound = 127;
const notExecutable = 126;

/**
 * Why a command did not start, told apart by looking again as execvp(3) did: it has no own word for "no such program",
 * "a folder" and "its interpreter is missing".
 * @param searchPath the PATH that the command was to have
 */
export function explainStartFailure(
  code: string | undefined,
  { program, cwd, searchPath }: { program: string; cwd: string; searchPath: string },
): { code: number; detail: string } {
  if (code === 'E2BIG')
    return { code: notExecutable, detail: `${program}: the arguments are too long for the system.` };
  if (code === 'EAGAIN' || code === 'ENOMEM') {
    return { code: notExecutable, detail: `${program}: the box has no room for another process.` };
  }
  const candidates = program.includes('/')
    ? [join(program.startsWith('/') ? '/' : cwd, program)]
    : searchPath.split(':').map((folder) => join(folder === '' ? cwd : folder, program));
  const found = candidates.find((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
  if (found === undefined) return { code: notFound, detail: `${program}: there is no such command in the box.` };
  if (statSync(found).isDirectory()) return { code: notExecutable, detail: `${program}: is a folder.` };
  if (!mayExecute(found)) return { code: notExecutable, detail: `${program}: may not be executed.` };
  return { code: notExecutable, detail: `${program}: cannot be executed here, or its interpreter is missing.` };
}

function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
