import { opendirSync, unlinkSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomeDirectory } from '../home/homeDirectory.ts';
import { isErrno } from '../home/homeErrors.ts';
import { temporaryPrefix } from '../home/homeFiles.ts';

/** A folder with more than this is not searched to its end: a leftover costs little, a home may hold a million files. */
const maxEntriesPerFolder = 10_000;

/** Removes temporary files that a killed boxd left, in the given folders only. */
export function sweepTemporaries(home: HomeDirectory, folders: Iterable<string>): void {
  for (const path of folders) {
    try {
      const folder = home.folder(path);
      const listing = opendirSync(folder.entry('.'));
      try {
        for (let seen = 0; seen < maxEntriesPerFolder; seen++) {
          const entry = listing.readSync();
          if (entry === null) break;
          if (entry.name.startsWith(temporaryPrefix)) unlinkSync(folder.entry(entry.name));
        }
      } finally {
        listing.closeSync();
      }
    } catch (error) {
      // A folder that is not there, or may not be listed, holds nothing that was ours.
      if (!(error instanceof SpoonError) && !isErrno(error)) throw error;
    }
  }
}
