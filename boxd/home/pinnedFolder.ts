import { closeSync, constants } from 'node:fs';

/**
 * Opens a folder for walking through it, never for listing it: needs no read permission (open(2), O_PATH). Node has no
 * name for the flag; the value is the same on x86-64 and arm64.
 */
export const walkFlags = 0o10000000 | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Pins whatever a name stands for, also a link, without opening it: no hang on a FIFO. */
export const pinFlags = 0o10000000 | constants.O_NOFOLLOW;

/**
 * An open folder. A name in it is reached through `/proc/self/fd`: the kernel goes to this very folder, wherever its
 * name points by now, and resolves one name only. That is openat(2) without a native addon (`security.md` 0.1: 20,000
 * saves under a swap race, no escape).
 */
export class PinnedFolder {
  readonly fd: number;
  /** Where it is, relative to the home, as the caller named it; empty for the home itself. */
  readonly path: string;

  constructor(fd: number, path: string) {
    this.fd = fd;
    this.path = path;
  }

  entry(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  close(): void {
    closeSync(this.fd);
  }
}
