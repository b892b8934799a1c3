import { SpoonError } from './errors.ts';

/** `security.md` decision 14. A username is fixed for life and never given to another. */
const usernameRule = /^[a-z][a-z0-9_-]{0,30}$/;

// Names that Debian, Fedora and their services use, and names that would mislead. A box's passwd file has some of them.
const reservedNames = new Set(
  (
    'root admin administrator nobody daemon spoon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats ' +
    'systemd-network systemd-resolve systemd-timesync messagebus sshd ftp adm shutdown halt operator dbus polkitd chrony ' +
    'tss postgres mysql redis docker containerd nogroup wheel sudo staff users con nul aux prn'
  ).split(' '),
);

const maxUsernameLength = 31;

/** @throws SpoonError `username-invalid` */
export function checkUsername(name: string): string {
  if (!usernameRule.test(name)) {
    throw new SpoonError('username-invalid', 'Use a lower-case letter, then up to 30 of a-z, 0-9, _ and -.');
  }
  if (reservedNames.has(name)) throw new SpoonError('username-invalid', 'The system uses this name itself.');
  return name;
}

/**
 * The username of a new account, from its display name (design section 6): first word, diacritics folded, lower case,
 * `[a-z0-9_-]` kept; `user` where nothing is left or the name is reserved; the second Ada is `ada2`.
 */
export function deriveUsername(displayName: string, isTaken: (name: string) => boolean): string {
  const firstWord = displayName.trim().split(/\s+/u)[0] ?? '';
  const folded = firstWord
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '')
    .slice(0, maxUsernameLength);
  const base = usernameRule.test(folded) && !reservedNames.has(folded) ? folded : 'user';
  if (!isTaken(base)) return base;
  for (let count = 2; ; count++) {
    const suffix = String(count);
    const candidate = base.slice(0, maxUsernameLength - suffix.length) + suffix;
    if (!isTaken(candidate)) return candidate;
  }
}
