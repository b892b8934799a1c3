import { isIP } from 'node:net';

/** How repositories are fetched. */
export interface GitSettings {
  /** `host` and `host:port`, lower case: not on the public internet, or on another port than 443. */
  readonly hosts: readonly string[];
  /** PEM with certificate authorities to trust beside the image's. */
  readonly caFile: string | undefined;
  /** So long one git command may take. */
  readonly timeoutMs: number;
  /** So long the setup of a dotfiles repository may take. */
  readonly setupMs: number;
}

/** One entry of `SPOON_GIT_HOSTS` in its normal form; undefined for what is none. */
export function readGitHost(entry: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]{1,253}))(?::(\d{1,5}))?$/.exec(entry.toLowerCase());
  if (match === null || (match[1] !== undefined && isIP(match[1]) !== 6)) return undefined;
  const port = match[3] === undefined ? '' : `:${match[3]}`;
  if (!URL.canParse(`https://${entry}/`)) return undefined;
  const { hostname } = new URL(`https://${entry}/`);
  return `${hostname.replace(/\.$/, '')}${port === ':443' ? '' : port}`;
}
