import { homedir } from 'node:os';
import { join } from 'node:path';

/** What Spoon makes once and keeps on this machine, outside the repository and shared by all checkouts. Safe to delete. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'spoon');
}
