import { lstatSync, renameSync } from 'node:fs';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { toHomeError } from '../home/homeErrors.ts';

/** @returns where it is now, relative to the home; undefined where nothing was there */
export function moveAside(home: string, path: string): string | undefined {
  if (lstatSync(`${home}/${path}`, { throwIfNoEntry: false }) === undefined) return undefined;
  const kept = `.spoon/backup/${new Date().toISOString().replaceAll(/[-:.]/g, '')}/${path}`;
  const directory = HomeDirectory.open(home);
  try {
    directory.folder(kept.slice(0, kept.lastIndexOf('/')), () => {});
    renameSync(`${home}/${path}`, `${home}/${kept}`);
  } catch (error) {
    throw toHomeError(error, path);
  } finally {
    directory.close();
  }
  return kept;
}
