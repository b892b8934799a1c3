import { SpoonError } from '../../protocol/errors.ts';
import { onOneLine } from '../../protocol/plainText.ts';
import type { CheckoutStatus, Thread } from '../../protocol/threads.ts';
import type { RunningBox } from '../boxes/boxes.ts';

/** Without those that the box does not tell in time or at all. */
export async function readStatuses(
  box: RunningBox,
  threads: readonly Thread[],
  maxAgeMs: number,
): Promise<Map<string, CheckoutStatus>> {
  const folders = threads.map(({ folder }) => folder);
  try {
    const { statuses } = await box.boxd.git.statuses(folders, maxAgeMs);
    return new Map(statuses.map(({ folder, status }) => [folder, shown(status)]));
  } catch (error) {
    if (error instanceof SpoonError) return new Map();
    throw error;
  }
}

/** What a box says is shown in lists and trees: no control characters. */
function shown(status: CheckoutStatus): CheckoutStatus {
  return {
    ...status,
    branch: status.branch === null ? null : onOneLine(status.branch),
    ...(status.detail === undefined ? {} : { detail: onOneLine(status.detail) }),
  };
}
