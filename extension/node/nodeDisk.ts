import type { Stats } from 'node:fs';
import { chmod, lstat, readlink, stat, symlink } from 'node:fs/promises';
import type { DiskEntry, LocalDisk } from '../platform.ts';

export const nodeDisk: LocalDisk = {
  look: async (path) => entryOf(await lstat(path)),
  lookBehind: async (path) => entryOf(await stat(path)),
  linkTarget: (path) => readlink(path),
  setMode: (path, mode) => chmod(path, mode),
  makeLink: (path, target) => symlink(target, path),
};

function entryOf(stats: Stats): DiskEntry {
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other';
  // Windows makes its modes up.
  return { kind, size: stats.size, mode: process.platform === 'win32' ? undefined : stats.mode & 0o777 };
}
