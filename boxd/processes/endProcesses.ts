import { setTimeout as delay } from 'node:timers/promises';
import { findDescendants } from './processTable.ts';

/** What a terminal or command may use to save its state after SIGHUP. */
const endGraceMs = 2_000;
const firstLookMs = 5;
const lookMs = 50;
/** A process that forks faster than it is found could keep us busy for ever; the box's process limit ends that race. */
const maxKillRounds = 100;

/**
 * Ends all that a terminal, command or job started: SIGHUP (and SIGCONT, for what is stopped), after `graceMs` SIGKILL, until
 * none is left. These are not our children, so their end cannot be awaited, only seen.
 * @param request what asks them to end
 */
export async function endProcesses(
  session: number,
  marker: string,
  graceMs = endGraceMs,
  request: 'SIGHUP' | 'SIGTERM' = 'SIGHUP',
): Promise<void> {
  const first = await findSurely(session, marker);
  if (first.length === 0) return;
  signalAll(first, request);
  signalAll(first, 'SIGCONT');
  const killAtMs = Date.now() + graceMs;
  for (let waitMs = firstLookMs; Date.now() < killAtMs; waitMs = Math.min(lookMs, waitMs * 2)) {
    await delay(waitMs);
    if ((await findSurely(session, marker)).length === 0) return;
  }
  for (let round = 0; round < maxKillRounds; round++) {
    const left = await findSurely(session, marker);
    if (left.length === 0) return;
    signalAll(left, 'SIGKILL');
    await delay(firstLookMs);
  }
}

/** None is none only at the second look: what is just being executed shows no environment for a moment (proc_pid_environ(5)). */
async function findSurely(session: number, marker: string): Promise<number[]> {
  const found = findDescendants(session, marker);
  if (found.length > 0) return found;
  await delay(firstLookMs);
  return findDescendants(session, marker);
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // ESRCH: ended by itself. EPERM: a setuid program, which is not ours to end.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    }
  }
}
