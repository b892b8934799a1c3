import { readFileSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SpoonError } from '../../protocol/errors.ts';

/**
 * One service per working directory (`security.md` decision 10). The lock is SQLite's own lock on an empty database file:
 * the kernel holds it, so nothing is left behind by SIGKILL, it also holds between containers that share the directory,
 * and taking it writes not one byte.
 */
export class ExclusiveLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @throws SpoonError `workdir-locked` with the holder's process id where the kernel shows it */
  static take(file: string): ExclusiveLock {
    const database = new DatabaseSync(file, { timeout: 0 });
    try {
      // Else a new database gets a journal file, which a killed process would leave behind.
      database.exec('PRAGMA journal_mode = MEMORY');
      database.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      database.close();
      if (!isBusy(cause)) throw cause;
      const pid = holderOf(file);
      const extra: Record<string, number> = pid === undefined ? {} : { pid };
      const who = pid === undefined ? 'Another process holds it' : `Process ${pid} holds it`;
      throw new SpoonError('workdir-locked', `${who}. Stop that one, or set another SPOON_AGENT_WORKDIR.`, {
        cause,
        extra,
      });
    }
    return new ExclusiveLock(database);
  }

  release(): void {
    this.#database.close();
  }
}

function isBusy(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === 5;
}

/** From the kernel's table of locks (proc_locks(5)); the file itself says nothing. */
function holderOf(file: string): number | undefined {
  try {
    const { ino } = statSync(file);
    for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
      const [, kind, , , pid, inode] = line.trim().split(/\s+/);
      if (kind === 'POSIX' && inode?.split(':')[2] === String(ino) && Number(pid) > 0) return Number(pid);
    }
  } catch {
    // Without /proc the message names no process; the refusal is the same.
  }
  return undefined;
}
