import type { SpoonError } from '../protocol/errors.ts';

/** Exit codes of spoonctl, as `docs/spoonctl.md` has them; `exec` and `terminal` end with the code of what they ran. */
export const exitCodes = {
  ok: 0,
  refused: 1,
  usage: 2,
  notSignedIn: 3,
  notFound: 4,
  conflict: 5,
  /** sysexits.h, EX_UNAVAILABLE. */
  unreachable: 69,
  /** As a shell sees what Ctrl-C ended. */
  cancelled: 130,
} as const;

export function exitCodeOf({ code, status }: SpoonError): number {
  switch (code) {
    case 'service-unreachable':
    case 'service-answer-invalid':
    case 'connection-lost':
    case 'shutting-down':
      return exitCodes.unreachable;
    case 'ticket-invalid':
      return exitCodes.refused;
  }
  if (status === 401) return exitCodes.notSignedIn;
  if (status === 404 || status === 410) return exitCodes.notFound;
  if (status === 409 || status === 412 || status === 428) return exitCodes.conflict;
  return exitCodes.refused;
}

/** The one thing to do about it, where the error's own text does not say it. */
export function adviceFor({ code }: SpoonError): string | undefined {
  switch (code) {
    case 'not-signed-in':
    case 'unauthenticated':
    case 'token-expired':
      return 'Sign in with: spoonctl login';
    case 'service-unreachable':
      return 'Check that the service runs and that the address is right: spoonctl status';
    case 'service-answer-invalid':
      return 'Check the address in SPOON_URL, or sign in again: spoonctl login --url URL';
    case 'version-stale':
    case 'file-exists':
      return 'Look at what changed with: spoonctl dotfiles history PATH. Then run this again.';
    case 'seal-key-changed':
      return 'Nothing was sent. If you or an administrator changed it, take it with: spoonctl secrets trust';
    case 'insufficient-scope':
      return 'Use a token that may do this.';
    default:
      return undefined;
  }
}
