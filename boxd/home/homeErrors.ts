import { SpoonError } from '../../protocol/errors.ts';

export function isErrno(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return isErrno(error) && codes.includes(error.code);
}

/**
 * What a system call's failure means for the person whose file it is. Anything that is not a system call's failure is a
 * bug and is thrown on.
 * @param path relative to the home
 */
export function toHomeError(error: unknown, path: string): SpoonError {
  if (error instanceof SpoonError) return error;
  if (!isErrno(error)) throw error;
  const options = { cause: error, extra: { path } };
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new SpoonError(
        'insufficient-storage',
        `There is no room in the home for ${path}. Delete what is large; spoonctl home usage shows it.`,
        options,
      );
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new SpoonError('path-kind-conflict', `A file and a folder meet at ${path}.`, options);
    case 'ELOOP':
      return new SpoonError('path-through-symlink', `Links on the way to ${path} go round in a circle.`, options);
    case 'ENAMETOOLONG':
      return new SpoonError('path-too-long', path, options);
    default:
      return new SpoonError('home-not-writable', `${path} (${error.code}).`, options);
  }
}
