import { SpoonError } from '../../protocol/errors.ts';
import { isErrno, toHomeError } from '../home/homeErrors.ts';

/** As {@link toHomeError}, for who asks after a file that need not be there. @param path relative to the home */
export function toFileError(error: unknown, path: string, doing: 'reading' | 'writing'): SpoonError {
  const errno = error instanceof SpoonError ? error.cause : error;
  if (isErrno(errno)) {
    const options = { cause: errno };
    // EINVAL: readlink(2) of a file in the place of a folder.
    if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(errno.code)) return new SpoonError('not-found', path, options);
    if (errno.code === 'ENOTEMPTY') return new SpoonError('folder-not-empty', path, options);
    if (doing === 'reading' && (errno.code === 'EACCES' || errno.code === 'EPERM')) {
      return new SpoonError('home-not-readable', path, options);
    }
  }
  return toHomeError(error, path);
}
