import { SpoonError } from '../../protocol/errors.ts';

/** Primary result codes, https://sqlite.org/rescode.html; the extended ones carry them in their low byte. */
const resultCode = { busy: 5, locked: 6, full: 13, corrupt: 11, notADatabase: 26 } as const;
/** SQLITE_IOERR_SHMSIZE: no room for the index of the write-ahead log. */
const noRoomForSharedMemory = 4874;

function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

export function isBusy(error: unknown): boolean {
  const code = (codeOf(error) ?? 0) & 0xff;
  return code === resultCode.busy || code === resultCode.locked;
}

/** What SQLite reports, as the error that a person can act on; anything else stays as it is and is a bug. */
export function asStoreError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  if (isBusy(error)) return new SpoonError('store-busy', undefined, { cause: error });
  if ((code & 0xff) === resultCode.full || code === noRoomForSharedMemory) {
    return new SpoonError('insufficient-storage', 'The database could not grow. What was stored before is unharmed.', {
      cause: error,
    });
  }
  if ((code & 0xff) === resultCode.corrupt || (code & 0xff) === resultCode.notADatabase) {
    return new SpoonError('integrity-failure', 'The database file is damaged. Restore it from a backup.', {
      cause: error,
    });
  }
  return error;
}
