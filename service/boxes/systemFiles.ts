import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BoxSpec } from './engine.ts';

/** Who a box's system files name. */
export interface SystemUser {
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly shell: string;
}

/** One name for every box, so that a prompt reads `ada@spoon`. With a dot, or git cannot guess an e-mail address to commit with. */
export const boxHostname = 'spoon.internal';

/** passwd(5). The comment field is set because git takes a committer's name from it. */
export function passwdText({ username, uid, gid, shell }: SystemUser): string {
  return lines(
    ['root', 'x', 0, 0, 'root', '/root', '/usr/sbin/nologin'],
    ['nobody', 'x', 65534, 65534, 'nobody', '/nonexistent', '/usr/sbin/nologin'],
    [username, 'x', uid, gid, username, `/home/${username}`, shell],
  );
}

/** group(5). `tty` owns pseudo-terminals on Debian and Fedora alike. */
export function groupText({ username, gid }: SystemUser): string {
  return lines(['root', 'x', 0, ''], ['tty', 'x', 5, ''], ['nogroup', 'x', 65534, ''], [username, 'x', gid, '']);
}

/** git's system configuration; a person's own `~/.gitconfig` wins over all of it (decision 13: what fsck lets pass). */
export function gitconfigText({ trustsHome = false } = {}): string {
  const text = `# Written by Spoon. Your own ~/.gitconfig wins.
[init]
	defaultBranch = main
[transfer]
	fsckObjects = true
[fetch "fsck"]
	zeroPaddedFilemode = ignore
	missingSpaceBeforeDate = ignore
[receive "fsck"]
	zeroPaddedFilemode = ignore
	missingSpaceBeforeDate = ignore
`;
  // The operator's certificate authorities with the image's own; boxd makes that file (boxd/git/caBundle.ts).
  return trustsHome ? `${text}[http]\n\tsslCAInfo = ~/.spoon/ca-bundle.pem\n` : text;
}

/**
 * Writes what a box has at `/etc/passwd`, `/etc/group` and `/etc/gitconfig`. A changed file is replaced, not rewritten: a
 * box that runs keeps what it was started with.
 * @param directory made where missing
 */
export async function writeSystemFiles(
  directory: string,
  user: SystemUser,
  git: { readonly trustsHome?: boolean } = {},
): Promise<BoxSpec['systemFiles']> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const files = { passwd: passwdText(user), group: groupText(user), gitconfig: gitconfigText(git) };
  for (const [name, text] of Object.entries(files)) await replaceFile(join(directory, name), text);
  return {
    passwd: join(directory, 'passwd'),
    group: join(directory, 'group'),
    gitconfig: join(directory, 'gitconfig'),
  };
}

async function replaceFile(path: string, text: string): Promise<void> {
  const present = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (present === text) return;
  await writeFile(`${path}.new`, text, { mode: 0o644 });
  await rename(`${path}.new`, path);
}

function lines(...rows: (string | number)[][]): string {
  const text = rows.map((fields) => `${fields.join(':')}\n`);
  if (
    text.some((line, index) => line.split(':').length !== rows[index]?.length || line.indexOf('\n') < line.length - 1)
  ) {
    throw new Error('a field of a system file holds a colon or a line break');
  }
  return text.join('');
}
