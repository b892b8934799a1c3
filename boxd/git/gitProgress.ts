import type { CheckoutProgress } from '../../protocol/threads.ts';

const phases: Readonly<Record<string, CheckoutProgress['phase']>> = {
  'Receiving objects': 'receiving',
  'Resolving deltas': 'resolving',
  'Updating files': 'checking-out',
};
const units: Readonly<Record<string, number>> = { bytes: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/**
 * The last thing that a piece of `git --progress` says, such as `Receiving objects:  42% (420/1000), 1.20 MiB | 3 MiB/s`.
 * What the server prints itself starts with `remote:` and is not believed.
 */
export function readProgress(text: string, before: CheckoutProgress): CheckoutProgress {
  let progress = before;
  for (const line of text.split(/[\r\n]/)) {
    const match =
      /^(Receiving objects|Resolving deltas|Updating files): +(\d{1,3})% \(\d+\/\d+\)(?:, ([\d.]+) (bytes|[KMG]iB))?/.exec(
        line,
      );
    const phase = phases[match?.[1] ?? ''];
    if (match === null || phase === undefined) continue;
    const received = match[3] === undefined ? undefined : Math.round(Number(match[3]) * (units[match[4] ?? ''] ?? 1));
    progress = {
      phase,
      percent: Math.min(100, Number(match[2])),
      receivedBytes: received ?? (phase === progress.phase || phase !== 'receiving' ? progress.receivedBytes : null),
    };
  }
  return progress;
}
