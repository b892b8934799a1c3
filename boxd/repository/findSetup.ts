import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { setupNames } from '../../protocol/setupScript.ts';
import { hasCode } from '../home/homeErrors.ts';
import { sha256 } from '../home/homeFiles.ts';

/** Longer ones exist only as payloads; their beginning still tells one from the other together with the commit. */
const maxReadBytes = 1024 * 1024;

export interface SetupScript {
  /** Below the repository. */
  readonly path: string;
  readonly sha256: string;
  /** With its arguments: `bash`, or what its first line names where that is no shell of bash's kind. */
  readonly interpreter: readonly string[];
}

/** `problem`: a person asked for this one and it cannot be run; says why. `none`: nothing to run. */
export type FoundSetup =
  | { readonly kind: 'script'; readonly script: SetupScript }
  | { readonly kind: 'problem'; readonly path: string; readonly why: string }
  | { readonly kind: 'none' };

/**
 * The script of the checkout at `root`: the asked one, or the first of the well-known names that is a file. It must lie in the
 * checkout, also by its links; being executable does not matter.
 */
export function findSetup(root: string, asked: string | null): FoundSetup {
  if (asked !== null) return look(root, asked);
  for (const path of setupNames) {
    const found = look(root, path);
    // A folder of that name is common, and is no script; what looks like one and cannot be run is said.
    if (found.kind === 'script' || (found.kind === 'problem' && isFileAt(`${root}/${path}`))) return found;
  }
  return { kind: 'none' };
}

function isFileAt(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isDirectory();
}

function look(root: string, path: string): FoundSetup {
  const problem = (why: string): FoundSetup => ({ kind: 'problem', path, why });
  try {
    const real = realpathSync(`${root}/${path}`);
    if (!real.startsWith(`${realpathSync(root)}/`)) return problem('is a link that leads out of the repository');
    const bytes = read(real);
    if (bytes === undefined) return problem('is not a file');
    const firstLine = bytes.subarray(0, 256).toString('latin1').split('\n', 1)[0] ?? '';
    if (/^#!.*\r$/.test(firstLine)) {
      return problem('has Windows line endings (CRLF). Save it with LF, and commit it so: git add --renormalize');
    }
    return { kind: 'script', script: { path, sha256: sha256(bytes), interpreter: interpreterOf(firstLine) } };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return problem('is not in the repository');
    if (hasCode(error, 'ELOOP')) return problem('is a link that goes round in a circle');
    if (hasCode(error, 'EACCES')) return problem('may not be read');
    throw error;
  }
}

/** `undefined` for a folder, a device or a FIFO, which is never waited for. */
function read(path: string): Buffer | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const bytes = Buffer.alloc(Math.min(maxReadBytes, fstatSync(fd).size));
    return bytes.subarray(0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

/**
 * bash reads what is written for sh and bash (design section 6); a script in another language is started as its first line
 * says, because bash would only make a mess of it.
 */
function interpreterOf(firstLine: string): readonly string[] {
  const [program, ...args] = /^#!\s*(\S.*)$/.exec(firstLine)?.[1]?.trim().split(/\s+/) ?? [];
  if (program === undefined || !program.startsWith('/')) return ['bash'];
  const named = (program.endsWith('/env') ? args.find((arg) => !arg.startsWith('-')) : program)?.split('/').at(-1);
  if (named === undefined || ['sh', 'bash', 'dash'].includes(named)) return ['bash'];
  return [program, ...args];
}
