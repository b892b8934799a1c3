import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { BoxdCredential } from '../../protocol/boxdRepository.ts';
import { knownHostKeys } from '../../protocol/knownHostKeys.ts';
import type { SecretFiles } from '../processes/secretFiles.ts';

/** Beside boxd's script, in the sources and in its bundle. */
const askpassPath = fileURLToPath(new URL('./askpass.sh', import.meta.url));

/** How one git gets to a private repository. Whatever it needs is gone when it has ended. */
export interface GitAccess extends Disposable {
  readonly configuration: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly masked: readonly string[];
  /** For the socket that git has as its descriptor 3; undefined: it needs none. */
  readonly answer?: (socket: Duplex) => void;
}

/**
 * A token is told to git when it asks (GIT_ASKPASS), over a socket that only git and its children have. A deploy key is a file
 * in memory, 0600, for as long as git runs: ssh takes one in no other way.
 * @throws Error when the memory cannot be written
 */
export function openGitAccess(credential: BoxdCredential, secretFiles: SecretFiles): GitAccess {
  if (credential.kind === 'token') {
    return {
      configuration: [],
      environment: { GIT_ASKPASS: askpassPath },
      masked: [credential.token],
      answer: (socket) => answerQuestions(socket, credential),
      [Symbol.dispose]: () => {},
    };
  }
  const { host, key, hostKeys } = credential;
  const keyFile = secretFiles.lay(Buffer.from(key));
  const hostsFile = secretFiles.lay(Buffer.from(knownHosts(host, hostKeys)));
  return {
    configuration: ['protocol.ssh.allow=always'],
    environment: { GIT_ALLOW_PROTOCOL: 'ssh', GIT_SSH_VARIANT: 'ssh', GIT_SSH_COMMAND: sshCommand(keyFile, hostsFile) },
    masked: [key],
    [Symbol.dispose]() {
      secretFiles.remove(keyFile);
      secretFiles.remove(hostsFile);
    },
  };
}

/** `Username for 'https://host': `, then `Password for 'https://name@host': `; git-lfs says `"…"`. Any other host gets nothing. */
function answerQuestions(socket: Duplex, { host, username, token }: BoxdCredential & { kind: 'token' }): void {
  let asked = '';
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    asked += chunk.toString('utf8');
    for (let end = asked.indexOf('\n'); end >= 0; end = asked.indexOf('\n')) {
      const [, what, url = ''] =
        /^(Username|Password) for ['"](https:\/\/[^'"]*)['"](?:: )?$/.exec(asked.slice(0, end)) ?? [];
      asked = asked.slice(end + 1);
      if (!URL.canParse(url) || new URL(url).host !== host) {
        socket.destroy();
        return;
      }
      socket.write(`${what === 'Username' ? username : token}\n`);
    }
  });
}

/** sshd_config(5) and a person's own ~/.ssh have no say; a host key that is not known ends it. */
function sshCommand(keyFile: string, hostsFile: string): string {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    `IdentityFile=${keyFile}`,
    'IdentityAgent=none',
    'PreferredAuthentications=publickey',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${hostsFile}`,
    'GlobalKnownHostsFile=/dev/null',
    'UpdateHostKeys=no',
    'CheckHostIP=no',
    'ForwardAgent=no',
    'ConnectTimeout=20',
    'ServerAliveInterval=10',
    'ServerAliveCountMax=2',
  ];
  return ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', option])].join(' ');
}

function knownHosts(host: string, given: readonly string[]): string {
  const name = host.replace(/^(.*):(\d+)$/, '[$1]:$2');
  const keys = given.length > 0 ? given : (knownHostKeys[host] ?? []);
  return keys.map((key) => `${name} ${key}\n`).join('');
}
