import { setTimeout as delay } from 'node:timers/promises';
import type { Boxes, BoxUser } from './boxes/boxes.ts';
import type { Logger } from './logger.ts';

/** So long a start waits for boxes that ran before it; those that take longer are found while it serves. */
const adoptionMs = 10_000;

/**
 * Without an engine there is nothing to take over; its boxes are found when it answers again and somebody opens one. A box
 * that is slow to answer holds up its own user alone.
 * @returns `boxesKnown`: whether all that run were found, once that is sure
 */
export async function adoptBoxes(
  boxes: Boxes,
  users: readonly BoxUser[],
  log: Logger,
): Promise<{ boxesKnown: Promise<boolean> }> {
  const boxesKnown = boxes.adopt(users).then(
    () => true,
    (error: unknown) => {
      log.failure('boxes.adopt', error);
      return false;
    },
  );
  await Promise.race([boxesKnown, delay(adoptionMs, undefined, { ref: false })]);
  return { boxesKnown };
}
