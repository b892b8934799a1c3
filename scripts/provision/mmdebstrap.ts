import { mkdir } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { mustRun } from '../runCommand.ts';
import { ensurePrograms } from './systemPackages.ts';

/** Free memory from which a system is put together there: dpkg syncs each of 20,000 files, which a busy disk takes minutes for. */
const buildBytes = 4 * 1024 ** 3;

export function ensureMmdebstrap(say: (text: string) => void): Promise<void> {
  return ensurePrograms(
    [
      { file: 'mmdebstrap', debianPackage: 'mmdebstrap' },
      { file: '/usr/share/keyrings/debian-archive-keyring.gpg', debianPackage: 'debian-archive-keyring' },
    ],
    say,
  );
}

/**
 * Runs mmdebstrap, as root in namespaces of its own: what it mounts and starts ends with it, also when it is killed.
 * @param work an empty folder, for what it needs meanwhile
 */
export async function runMmdebstrap(
  work: string,
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
): Promise<void> {
  const env = { ...process.env, TMPDIR: join(work, 'root') };
  await mkdir(env.TMPDIR);
  if (process.getuid?.() !== 0) {
    await mustRun('mmdebstrap', args, { env, onLine });
    return;
  }
  const namespaces = ['--mount', '--pid', '--mount-proc', '--fork', '--kill-child=KILL'];
  const inMemory = freemem() > buildBytes ? 'mount -t tmpfs -o mode=0755 tmpfs "$TMPDIR"; ' : '';
  const command = ['sh', '-c', `${inMemory}exec mmdebstrap "$@"`, 'build', '--mode=root', ...args];
  await mustRun('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...namespaces, ...command], { env, onLine });
}
