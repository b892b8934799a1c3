import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';

const shownCharacters = 600;

/** What git's words mean, the first that fits; in English because git is run with `LC_ALL=C`. */
const meanings: readonly (readonly [RegExp, ErrorCode, (match: RegExpExecArray) => string])[] = [
  [
    /could not read (?:Username|Password)|terminal prompts disabled|Authentication failed|returned error: 40[13]|repository '[^']*' not found|returned error: 404/,
    'repository-private',
    () => 'Its server asks who you are, or has nothing at this address. Spoon fetches public repositories only.',
  ],
  [
    /batch response: (?:Authentication required|Authorization error|Repository or object not found)/,
    'repository-private',
    () => 'Its server does not give its large files (Git LFS) to whom Spoon asks as.',
  ],
  [
    /Permission denied \(|ERROR: Repository not found|does not appear to be a git repository/,
    'repository-private',
    () => 'Its server does not let this key in, or has nothing at this address.',
  ],
  [
    /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|no matching host key type/,
    'repository-host-key',
    () => 'Nothing was sent to it. If its key is new, set the deploy key again with the keys of the host.',
  ],
  [/ssh: (?:command )?not found|cannot run ssh/, 'ssh-missing', () => 'Use an image that has it, or https.'],
  [
    /returned error: 30\d|unable to update url base from redirection/,
    'repository-moved',
    () => 'Its server points to another address: set that one.',
  ],
  [
    /SSL certificate|server certificate|certificate verif|gnutls_handshake|TLS connection|SSL_ERROR/i,
    'repository-unavailable',
    () =>
      'The certificate of its server is not trusted. The operator can add the authority that signed it with SPOON_CA_FILE.',
  ],
  [
    /Could not resolve host(?:name|: )\s*([\w.-]+)/,
    'repository-unavailable',
    ([, host]) => `Could not connect: there is no host ${host}.`,
  ],
  [
    /Operation too slow|Operation timed out/,
    'repository-unavailable',
    () => 'Its server sent next to nothing for 20 s. Try again later.',
  ],
  [
    /Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out)|No route to host|Network is unreachable/i,
    'repository-unavailable',
    () => 'Could not connect to its server. Check the address, or try again later.',
  ],
  [
    /No space left on device|Disk quota exceeded/,
    'insufficient-storage',
    () => 'The home is full. Delete what is large, then try again: spoonctl home usage shows it.',
  ],
  [
    /(?:index|HEAD|refs\/\S+|packed-refs|config|shallow)\.lock': File exists|Another git process/,
    'checkout-busy',
    () => 'Another git has locked it. If none runs, delete the file that git names.',
  ],
  [
    /transport '([\w+-]+)' not allowed|protocol '([\w+-]+)' is not supported/,
    'repository-refused',
    ([, one, other]) => `It is fetched by ${one ?? other}, and Spoon fetches over https only.`,
  ],
  [/dubious ownership/, 'checkout-broken', () => 'It belongs to somebody else.'],
  [
    /not a git repository|bad config|unable to read tree|loose object \S+ .*corrupt|index file corrupt|bad object/,
    'checkout-broken',
    () => '',
  ],
  [
    /fsck error|error: object [0-9a-f]+: \w+|invalid path '|is in submodule|hasDot|unpack-objects failed|index-pack failed/,
    'repository-refused',
    ({ input }) => fsckWords(input),
  ],
  [
    /early EOF|RPC failed|unexpected disconnect|the remote end hung up|returned error: 5\d\d|unable to access/,
    'repository-unavailable',
    () => 'The connection to its server broke off.',
  ],
];

/** @param stderr plain lines of a git that failed */
export function gitError(stderr: string): SpoonError {
  // What the server says itself is not git's word.
  const own = stderr
    .split('\n')
    .filter((line) => !line.startsWith('remote:'))
    .join('\n');
  for (const [pattern, code, say] of meanings) {
    const match = pattern.exec(own);
    if (match === null) continue;
    const words = say(match);
    return new SpoonError(code, words === '' ? lastWords(own) : words);
  }
  return new SpoonError('git-failed', lastWords(own));
}

/** The finding itself; what git says around it helps nobody. */
function fsckWords(stderr: string): string {
  const [, found] = /object [0-9a-f]{40}: (\w+: [^\n]*)/.exec(stderr) ?? [];
  return found === undefined ? '' : `It is in its history: ${found}. Nothing of it was written.`;
}

/** The lines that say why, for a person: git puts them last. */
export function lastWords(stderr: string): string {
  const lines = stderr
    .split('\n')
    .filter((line) => !/^(?:remote: )?(?:Counting|Compressing|Enumerating|Receiving|Resolving|Updating)/.test(line));
  const fatal = lines.filter((line) => /^(?:fatal|error): /.test(line));
  const shown = (fatal.length > 0 ? fatal : lines).slice(-3).map((line) => line.replace(/^(?:fatal|error): /, ''));
  return shown.join(' ').slice(-shownCharacters) || 'It gave no reason.';
}
