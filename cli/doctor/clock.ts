import type { Fetch } from '../../client/apiClient.ts';
import type { Checks } from './checks.ts';

/** Sign-in providers and certificates are held to about that. */
const toleratedMs = 60_000;
/** The header has whole seconds, and stands for any time within one. */
const halfSecondMs = 500;

/** Hears what time a service has it from the `Date` of its answers. */
export class HeardClock {
  #aheadMs: number | undefined;

  readonly fetch: Fetch = async (url, init) => {
    const askedMs = Date.now();
    const response = await fetch(url, init);
    const middleMs = (askedMs + Date.now()) / 2;
    const saidMs = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(saidMs)) this.#aheadMs = middleMs - (saidMs + halfSecondMs);
    return response;
  };

  check(checks: Checks): void {
    const aheadMs = this.#aheadMs;
    if (aheadMs === undefined) return;
    if (Math.abs(aheadMs) <= toleratedMs) {
      checks.ok('Clock', 'as on this machine');
      return;
    }
    checks.warn(
      'Clock',
      `This machine's clock is ${inWords(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} the service's.`,
      'Set the one that is wrong, as with: timedatectl set-ntp true. Certificates, sign-ins and times that are shown go by it.',
    );
  }
}

function inWords(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
