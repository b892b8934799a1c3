import { SpoonError } from './errors.ts';
import { maxRepositoryUrlBytes } from './limits.ts';
import { checkRepositoryUrl, isNear } from './repositoryUrl.ts';

/** `ssh://git@host/path`, with a port where it is another than 22; its parts hold nothing that a shell or ssh could read. */
const pattern =
  /^ssh:\/\/(?:(?<user>[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})@)?(?<host>[A-Za-z0-9][A-Za-z0-9.-]{0,252})(?::(?<port>\d{1,5}))?\/(?<path>[A-Za-z0-9_~][A-Za-z0-9_.~/-]*)$/;
/** What hosts offer to be copied: `git@host:owner/repo.git`. */
const copied = /^([A-Za-z0-9_][A-Za-z0-9_.-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)\/?([A-Za-z0-9_~][^:]*)$/;

/** `git@host:owner/repo` as an address with a scheme; anything else as it is. */
export function expandSshAddress(text: string): string {
  return text.replace(copied, 'ssh://$1@$2/$3');
}

export function isSshAddress(url: string): boolean {
  return /^ssh:/i.test(url);
}

/**
 * The address of a dotfiles repository: https as {@link checkRepositoryUrl} says, or ssh, which a deploy key goes with.
 * @param allowedHosts the operator's; of ssh they count with their port, `host:22`
 * @returns the address in its normal form
 * @throws SpoonError `url-…`
 */
export function checkDotfilesAddress(text: string, allowedHosts: readonly string[] = []): string {
  return isSshAddress(text) ? checkSshAddress(text, allowedHosts) : checkRepositoryUrl(text, allowedHosts);
}

function checkSshAddress(text: string, allowedHosts: readonly string[]): string {
  const { user = 'git', host = '', port = '22', path = '' } = pattern.exec(text)?.groups ?? {};
  if (host === '' || text.length > maxRepositoryUrlBytes) {
    throw new SpoonError('url-invalid', 'Give it as ssh://git@host/owner/repo.');
  }
  if (path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new SpoonError('url-invalid', 'It does not name a repository.');
  }
  // As a browser reads it: numbers in place of an address (0x7f.1) are one by then.
  if (!URL.canParse(`https://${host}/`)) throw new SpoonError('url-invalid', 'Its host is not one.');
  const { hostname } = new URL(`https://${host}/`);
  const name = hostname.replace(/\.$/, '');
  if (!allowedHosts.includes(`${name}:${Number(port)}`)) {
    if (isNear(name)) {
      throw new SpoonError(
        'url-host',
        'It is not on the public internet. The operator can allow it with SPOON_GIT_HOSTS, as host:22.',
      );
    }
    if (Number(port) !== 22) {
      throw new SpoonError('url-port', 'Only 22. The operator can allow others with SPOON_GIT_HOSTS.');
    }
  }
  return `ssh://${user}@${name}${Number(port) === 22 ? '' : `:${Number(port)}`}/${path}`;
}
