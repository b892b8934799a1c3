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
  /** What of a home is copied at most to test a setup. */
  readonly scratchBytes: number;
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

/** A home of this many MiB is copied in seconds; a larger one mostly has what a setup has no business with. */
const defaultMib = 2048;
const maxMib = 1024 * 1024;

/** `SPOON_SCRATCH_MIB`: what of a home is copied at most for a test of a setup. @returns bytes */
export function readScratchBytes(
  given: string | undefined,
  refuse: (name: string, given: string, accepted: string) => never,
): number {
  if (given === undefined) return defaultMib * 1024 * 1024;
  const value = /^\d{1,7}$/.test(given) ? Number(given) : Number.NaN;
  if (!(value >= 1 && value <= maxMib)) refuse('SPOON_SCRATCH_MIB', given, `a whole number of MiB from 1 to ${maxMib}`);
  return value * 1024 * 1024;
}
