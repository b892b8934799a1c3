import { getSystemErrorMessage } from 'node:util';

/** What the system said, without the code, call and path that Node wraps it in. A plain Error is a bug and is thrown on. */
export function systemReason(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  if (typeof errno !== 'number') throw error;
  return getSystemErrorMessage(errno);
}
