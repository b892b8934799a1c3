import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** OpenSSH's own server, for one deploy key, whose only command is git's. Its `/run/sshd` is in a mount namespace of its own. */
export class SshServer implements AsyncDisposable {
  readonly port: number;
  /** The private part of the key that it lets in. */
  readonly key: string;
  /** As ssh-keyscan prints it, without the host. */
  readonly hostKey: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
    this.port = port;
    this.key = readFileSync(join(folder, 'deploy'), 'utf8');
    this.hostKey = readFileSync(join(folder, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  }

  static async start(): Promise<SshServer> {
    const folder = mkdtempSync(join(tmpdir(), 'spoon-ssh-server-'));
    for (const name of ['host', 'deploy']) makeKey(join(folder, name));
    const port = await freePort();
    const deploy = readFileSync(join(folder, 'deploy.pub'), 'utf8');
    const command = 'git-shell -c \\"$SSH_ORIGINAL_COMMAND\\"';
    writeFileSync(join(folder, 'authorized_keys'), `restrict,command="${command}" ${deploy}`, { mode: 0o600 });
    const settings = [
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      `HostKey ${folder}/host`,
      `AuthorizedKeysFile ${folder}/authorized_keys`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin forced-commands-only',
      'PidFile none',
    ];
    writeFileSync(join(folder, 'sshd_config'), `${settings.join('\n')}\n`);
    const script = 'mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$(command -v sshd)" -D -e -f "$0"';
    const child = spawn('unshare', ['--mount', 'sh', '-c', script, join(folder, 'sshd_config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('Server listening')) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`sshd ended with ${code}: ${said}`)));
    });
    return new SshServer(folder, port, child);
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** @param path absolute, of a bare repository */
  url(path: string): string {
    return `ssh://${userInfo().username}@${this.host}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @returns the private part @param passphrase none without it */
export function makeKey(path: string, passphrase = ''): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'spoon-test', '-f', path]);
  return readFileSync(path, 'utf8');
}

/** sshd tells no port that it chose itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  server.close();
  await once(server, 'close');
  return address.port;
}
