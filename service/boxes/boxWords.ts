import { errorTable, SpoonError } from '../../protocol/errors.ts';
import type { BoxEnd } from './engine.ts';

/** In the place of a tool's own words: they have paths of this host in them and are the error's cause. */
export const seeLog = "The service's log has the reason.";

const gibi = 1024 ** 3;

function amount(bytes: number): string {
  return bytes >= gibi ? `${Math.round((bytes / gibi) * 10) / 10} GiB` : `${Math.round((bytes / gibi) * 1024)} MiB`;
}

const next = 'Your files are safe. Open a terminal to start it again.';

/** Why a box ended, for the person whose it is. */
export function endInWords({ reason, exitCode }: Pick<BoxEnd, 'reason' | 'exitCode'>, memoryBytes: number): string {
  switch (reason) {
    case 'out-of-memory':
      return `Your box ran out of memory (limit ${amount(memoryBytes)}) and was ended. ${next}`;
    case 'removed':
      return `Your box was removed from outside of Spoon. ${next}`;
    case 'engine-gone':
      return `Your box ended when the container engine did. ${next}`;
    case 'exited':
      return exitCode === 0
        ? `Your box was ended from inside. ${next}`
        : `Your box ended by itself${exitCode === null ? '' : ` (code ${exitCode})`}. ${next}`;
  }
}

/** Of a box that a restarted service found. */
export const notAdopted =
  'The box did not answer after the service had been restarted, and was ended. Your files are safe.';

export function memoryKillInWords(memoryBytes: number): string {
  return `A program in your box was ended because the box had used up its memory (limit ${amount(memoryBytes)}). Everything else in it runs on.`;
}

/** A plain Error is a bug: its text is for the log. */
export function errorInWords(error: unknown): string {
  return error instanceof SpoonError ? error.message : errorTable['internal-error'].title;
}

/**
 * An error for the box's user: without the paths that tools and Docker name, which are the host's and the operator's.
 * The same object where there are none.
 */
export function withoutHostPaths(error: unknown): unknown {
  if (!(error instanceof SpoonError) || error.detail === undefined) return error;
  const detail = error.detail.replaceAll(/(?<![\w.~/…-])\/[^\s'"`,;:)]+/g, '…');
  if (detail === error.detail) return error;
  return new SpoonError(error.code, detail, { cause: error, extra: error.extra });
}
