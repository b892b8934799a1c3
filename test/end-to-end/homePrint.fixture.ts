import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything of a home that anything done to it would change, by path: contents, modes, inodes, and times that nobody can set. */
export function printOf(home: string): Record<string, string> {
  const paths = readdirSync(home, { recursive: true }) as string[];
  const entries = ['', ...paths].map((path) => {
    const at = join(home, path);
    const stat = lstatSync(at, { bigint: true });
    const content = stat.isFile()
      ? createHash('sha256').update(readFileSync(at)).digest('hex')
      : stat.isSymbolicLink()
        ? readlinkSync(at)
        : '';
    return [path, [stat.mode, stat.uid, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs, content].join(' ')];
  });
  return Object.fromEntries(entries);
}
