/**
 * Every error that crosses a process: a stable code, its HTTP status and a text for people (RFC 9457 over HTTP).
 * Thrown where the rule is; turned into problem+json in `service/http/problem.ts` and into a message by each client.
 * A plain `Error` is a bug and never reaches a person as text.
 */

interface ErrorEntry {
  /** HTTP status of the answer, 400 to 599. */
  readonly status: number;
  /** What happened, for a person; the same for every occurrence (RFC 9457 `title`). */
  readonly title: string;
}

export const errorTable = {
  // Paths below the home
  'path-empty': { status: 422, title: 'The path is empty.' },
  'path-traversal': { status: 422, title: 'The path leaves the home or is not in its plain form.' },
  'path-absolute': { status: 422, title: 'The path must be relative to the home.' },
  'path-tilde': { status: 422, title: 'The path must be relative to the home, without a leading tilde.' },
  'path-control-char': { status: 422, title: 'The path holds a character that cannot be shown.' },
  'path-backslash': { status: 422, title: 'The path holds a backslash; folders are separated by /.' },
  'path-not-canonical': { status: 422, title: 'The path is not in its plain form.' },
  'path-segment-too-long': { status: 422, title: 'A name in the path is longer than 255 bytes.' },
  'path-too-long': { status: 422, title: 'The path is longer than 1024 bytes.' },
  'path-too-deep': { status: 422, title: 'The path is more than 32 folders deep.' },
  'path-not-nfc': { status: 422, title: 'The path is not in Unicode normal form C.' },
  'path-reserved': { status: 422, title: 'The path belongs to Spoon itself.' },
  'path-not-managed': { status: 422, title: 'Checkouts and their repositories are not dotfiles.' },
  'path-kind-conflict': { status: 409, title: 'A file and a folder cannot have the same path.' },
  'mode-invalid': { status: 422, title: 'The file mode is not one that Spoon keeps.' },
  'link-target-invalid': { status: 422, title: 'The target of the symbolic link is not usable.' },
  'invalid-encoding': { status: 400, title: 'The request is not valid UTF-8.' },

  // Names
  'username-invalid': { status: 422, title: 'The username does not follow the rules.' },
  'spoon-name-invalid': { status: 422, title: 'The name of the spoon does not follow the rules.' },
  'branch-invalid': { status: 422, title: 'The branch name does not follow the rules of git.' },
  'env-name-invalid': { status: 422, title: 'The name of the environment variable is not allowed.' },

  // Requests
  'request-invalid': { status: 422, title: 'The request does not have the expected form.' },
  'json-invalid': { status: 400, title: 'The body is not valid JSON.' },
  'unknown-field': { status: 422, title: 'The request has a field that Spoon does not know.' },
  'body-too-large': { status: 413, title: 'The content is larger than Spoon accepts.' },
  'content-encoding-unsupported': { status: 415, title: 'Compressed requests are not accepted.' },
  'media-type-unsupported': { status: 415, title: 'The content type is not accepted here.' },
  'credential-in-url': {
    status: 400,
    title: 'A credential was sent in the URL. Treat it as known to others and make a new one.',
  },
  'host-not-allowed': { status: 421, title: 'The service does not answer to this host name.' },
  'origin-not-allowed': { status: 403, title: 'Requests from this origin are not allowed.' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here.' },
  'http-invalid': { status: 400, title: 'The request is not well-formed HTTP.' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive.' },
  'headers-too-large': { status: 431, title: 'The request has more or longer headers than Spoon accepts.' },
  'url-too-long': { status: 414, title: 'The address of the request is longer than Spoon accepts.' },
  'upgrade-required': { status: 426, title: 'This address is for WebSockets only.' },
  'not-found': { status: 404, title: 'There is no such thing, or it is not yours.' },
  'too-many-requests': { status: 429, title: 'Too many requests. Try again in a moment.' },

  // Who may do what
  unauthenticated: { status: 401, title: 'The request carries no valid token.' },
  'token-expired': { status: 401, title: 'The token has expired.' },
  'insufficient-scope': { status: 403, title: 'The token does not allow this.' },
  'ticket-invalid': { status: 401, title: 'The ticket is unknown, used or too old.' },
  'token-limit': { status: 409, title: 'The account holds as many tokens as it may. Revoke one that is not used.' },
  'share-refused': { status: 422, title: 'The terminal cannot be shared with this user.' },
  'share-limit': { status: 409, title: 'You share as many terminals as Spoon allows. End one first.' },
  'share-ended': { status: 410, title: 'The terminal is no longer shared with you.' },
  'not-an-admin': { status: 403, title: 'This account may not administer the service.' },
  'user-exists': { status: 409, title: 'There is a user of this name already.' },
  'user-disabled': { status: 403, title: 'The account is disabled.' },
  'sign-in-refused': { status: 401, title: 'The username or the password is not right.' },
  'sign-in-link-invalid': { status: 400, title: 'The program that wants to sign in did not ask as it should.' },
  'sign-in-code-invalid': { status: 400, title: 'The sign-in code is unknown, used or too old.' },
  'sign-in-pending': { status: 409, title: 'Nobody has approved the sign-in yet.' },
  'sign-in-denied': { status: 403, title: 'The sign-in was refused.' },
  'slow-down': { status: 429, title: 'This was asked too soon.' },
  'oidc-off': { status: 409, title: 'This service has no sign-in provider.' },
  'oidc-unavailable': { status: 503, title: 'The sign-in provider does not answer.' },
  'oidc-refused': { status: 403, title: 'The sign-in provider did not sign you in.' },
  'oidc-unknown': {
    status: 403,
    title: 'No account here belongs to you. Ask your administrator for an invite, and open its link.',
  },
  'oidc-linked': { status: 409, title: 'You have another account here already.' },
  'invite-invalid': {
    status: 400,
    title: 'The invite is unknown, used or too old. Ask your administrator for a new one.',
  },
  'password-unsuitable': { status: 422, title: 'The password does not follow the rules.' },
  'password-missing': {
    status: 409,
    title: 'The account has no password. Ask your administrator for an invite, with which you choose one.',
  },
  'user-not-confirmed': { status: 422, title: 'Removing a user has to be confirmed with the username.' },
  'single-user-only': { status: 409, title: 'Without root, Spoon runs boxes for one user only.' },

  // Conditional writes
  'version-stale': { status: 412, title: 'The file has changed since it was read.' },
  'version-required': { status: 428, title: 'The file exists: say which version the change is based on.' },
  'etag-invalid': { status: 400, title: 'The version given is not one that Spoon hands out.' },
  'file-exists': { status: 412, title: 'The file exists already.' },
  'seal-invalid': { status: 422, title: 'The sealed value cannot be opened. Seal it again with the current key.' },
  'seal-key-stale': { status: 409, title: 'The value was sealed with a key that is no longer used. Seal it again.' },
  'archive-invalid': { status: 422, title: 'The archive cannot be read. Nothing was imported.' },
  'archive-refused': {
    status: 422,
    title: 'The archive holds something that Spoon does not keep. Nothing was imported.',
  },
  'home-files-exist': {
    status: 409,
    title: 'The home has other files of these names. Nothing was imported.',
  },
  'archive-too-large': { status: 413, title: 'The archive holds more than Spoon takes at once. Nothing was imported.' },
  'secret-invalid': {
    status: 422,
    title: 'The value has a NUL or is no UTF-8 text, which no variable can hold. Have it as a file instead.',
  },
  'prompt-invalid': { status: 422, title: 'The prompt cannot be given to an agent.' },
  'job-limit': { status: 409, title: 'The account has as many jobs waiting as it may.' },
  'job-unfinished': { status: 409, title: 'The job has not ended yet.' },
  'job-ended': { status: 410, title: 'The job has ended.' },
  'secret-limit': { status: 409, title: 'The account holds as many secrets as it may.' },
  'dotfile-limit': { status: 409, title: 'The account holds as many dotfiles as it may.' },
  'dotfiles-too-large': { status: 409, title: 'The account’s dotfiles would be larger together than they may be.' },
  'home-over-quota': { status: 409, title: 'The home is larger than it may be.' },

  // Store and keys
  'integrity-failure': { status: 500, title: 'The stored content failed its integrity check.' },
  'key-unavailable': { status: 500, title: 'The key of the stored content is not available.' },
  'store-busy': { status: 503, title: 'The store is busy. Try again in a moment.' },
  'insufficient-storage': { status: 507, title: 'There is no room left.' },
  'backup-running': { status: 409, title: 'A backup is being made already.' },
  'backup-invalid': { status: 422, title: 'The file is no backup of Spoon, or it is not whole.' },
  'workdir-not-empty': { status: 409, title: 'A backup is restored into an empty working directory only.' },
  'audit-unavailable': { status: 503, title: 'It could not be written down who does this, so it was not done.' },
  'internal-error': { status: 500, title: 'Something in the service went wrong. Its log has the details.' },
  'not-ready': { status: 503, title: 'The service cannot do its work now.' },
  'shutting-down': { status: 503, title: 'The service is stopping. Try again in a moment.' },

  // Boxes
  'engine-unavailable': { status: 503, title: 'The container engine does not answer.' },
  'image-missing': { status: 503, title: 'The box image is not on this machine.' },
  'image-unsuitable': { status: 422, title: 'The image cannot be a box.' },
  'box-start-failed': { status: 503, title: 'The box did not start.' },
  'box-unavailable': { status: 503, title: 'The box does not answer.' },
  'box-stopped': { status: 409, title: 'The box is stopped.' },
  'box-misbehaved': { status: 502, title: 'The box gave an answer that makes no sense.' },
  'home-untrusted': { status: 503, title: 'The home does not belong to its user, so the box was not started.' },
  'home-not-writable': { status: 409, title: 'A place in the home cannot be written.' },
  'home-not-readable': { status: 403, title: 'A place in the home cannot be read.' },
  'folder-not-empty': { status: 409, title: 'The folder is not empty.' },
  'not-a-regular-file': { status: 409, title: 'Something that is not a file is in the way.' },
  'path-through-symlink': { status: 409, title: 'A symbolic link on the way leaves the home.' },
  'terminal-limit': { status: 429, title: 'As many terminals are open as the account may have.' },
  'command-invalid': { status: 422, title: 'The command cannot be run.' },

  // Spoons and threads
  'url-invalid': { status: 422, title: 'The address of the repository is not one that Spoon uses.' },
  'url-scheme': { status: 422, title: 'Spoon fetches repositories over https:// only.' },
  'url-credentials': {
    status: 422,
    title: 'A credential was given in the address. Treat it as known to others and make a new one.',
  },
  'url-host': { status: 422, title: 'The address of the repository is on a host that Spoon does not fetch from.' },
  'url-port': { status: 422, title: 'The address of the repository has a port that Spoon does not fetch from.' },
  'spoon-unknown': { status: 404, title: 'There is no spoon of this name.' },
  'spoon-exists': { status: 409, title: 'There is a spoon of this name already.' },
  'spoon-in-use': { status: 409, title: 'The spoon still has threads.' },
  'spoon-limit': { status: 409, title: 'The account holds as many spoons as it may.' },
  'thread-unknown': { status: 404, title: 'There is no such thread.' },
  'thread-exists': { status: 409, title: 'There is a thread of this branch already.' },
  'thread-in-use': { status: 409, title: 'A job works in the thread. Nothing was deleted.' },
  'thread-limit': { status: 409, title: 'The account holds as many threads as it may.' },
  'branch-missing': { status: 409, title: 'The repository has no such branch.' },
  'branch-exists': { status: 409, title: 'The repository has a branch of this name already.' },
  'checkout-in-the-way': { status: 409, title: 'Something else is where the checkout would be. Nothing was changed.' },
  'checkout-dirty': { status: 409, title: 'A checkout with unsaved changes is in the way. Nothing was changed.' },
  'checkout-missing': { status: 409, title: 'The folder of the thread is not there.' },
  'checkout-broken': { status: 409, title: 'Git cannot read the checkout.' },
  'checkout-busy': { status: 409, title: 'Git is at work in this checkout.' },
  'work-would-be-lost': { status: 409, title: 'Deleting this checkout would lose work. Nothing was deleted.' },
  'repository-unavailable': { status: 502, title: 'The repository could not be fetched.' },
  'repository-private': { status: 409, title: 'The repository is private or missing.' },
  'repository-moved': { status: 409, title: 'The repository has moved.' },
  'repository-refused': { status: 409, title: 'The repository holds something that git refuses.' },
  'repository-too-large': { status: 409, title: 'The repository is larger than Spoon fetches.' },
  'repository-host-key': { status: 409, title: 'The server of the repository has a host key that is not known.' },
  'credential-invalid': { status: 422, title: 'The token or key cannot be used.' },
  'host-key-invalid': { status: 422, title: 'The host keys cannot be read.' },
  'git-timeout': { status: 504, title: 'Git did not finish in time and was ended.' },
  'git-missing': { status: 409, title: 'There is no git in the box.' },
  'ssh-missing': { status: 409, title: 'There is no ssh in the box.' },
  'repository-updated': { status: 409, title: 'The repository has another commit by now. Look at that one first.' },
  'scratch-unavailable': { status: 409, title: 'A setup cannot be tested on a copy of the home here.' },
  'home-too-large': { status: 409, title: 'The home is larger than what is copied for a test.' },
  'git-lfs-missing': { status: 409, title: 'There is no git-lfs in the box.' },
  'submodule-failed': { status: 409, title: 'A submodule of the repository could not be fetched.' },
  'ref-missing': { status: 409, title: 'The repository has no such branch, tag or commit.' },
  'ref-invalid': { status: 422, title: 'That is no name of a branch or tag, and no whole commit id.' },
  'setup-path-invalid': { status: 422, title: 'The path of the setup script is not usable.' },
  'setup-ends-box': { status: 409, title: 'The box ended twice while this setup ran.' },
  'repository-none': { status: 409, title: 'No dotfiles repository is set.' },
  'dotfiles-off': { status: 409, title: 'Dotfiles are turned off.' },
  'repository-off': { status: 409, title: 'The dotfiles repository is switched off.' },
  'git-failed': { status: 409, title: 'Git could not do it.' },
  'box-outdated': { status: 409, title: 'Your box runs an older Spoon that cannot do this. Restart it.' },
  'pin-invalid': { status: 422, title: 'The time is not one that a box can be kept until.' },

  // Start of the service
  'config-invalid': { status: 500, title: 'A setting is wrong.' },
  'workdir-unwritable': { status: 500, title: 'The working directory cannot be written.' },
  'listen-failed': { status: 503, title: 'The service cannot listen on its address.' },
  'workdir-locked': { status: 503, title: 'Another service uses this working directory.' },
  'schema-newer': { status: 500, title: 'The database was written by a newer Spoon.' },
  'key-missing': { status: 500, title: 'No encryption key is set.' },
  'key-invalid': { status: 500, title: 'The encryption key is not usable.' },
  'key-wrong': { status: 500, title: 'This key does not belong to this database. Nothing was changed.' },

  // Seen by clients only
  'service-url-invalid': { status: 400, title: 'The address of the service cannot be used.' },
  'not-signed-in': { status: 401, title: 'You are not signed in.' },
  'row-gone': { status: 409, title: 'The tree changed in that moment. Choose the row once more.' },
  'editor-refused': { status: 409, title: 'VS Code did not move what is open in an editor.' },
  'terminal-ended': { status: 410, title: 'The terminal has ended.' },
  'seal-key-changed': { status: 409, title: 'The service has another key for secrets than before.' },
  'connection-lost': { status: 503, title: 'The connection to the service was lost.' },
  'service-unreachable': { status: 503, title: 'The Spoon service does not answer.' },
  'service-incompatible': { status: 502, title: 'The service speaks another version of the protocol.' },
  'service-answer-invalid': { status: 502, title: 'The answer does not come from a Spoon service.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** An expected failure with a stable code. `detail` says what is special about this case and what to do, in plain words. */
export class SpoonError extends Error {
  override readonly name = 'SpoonError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  /** Machine-readable extras that go into the problem document (RFC 9457 section 3.2). */
  readonly extra: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: ErrorCode,
    detail?: string,
    options: { cause?: unknown; extra?: Record<string, string | number | boolean> } = {},
  ) {
    const { status, title } = errorTable[code];
    super(detail ? `${title} ${detail}` : title, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.extra = options.extra ?? {};
  }
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code);
}
