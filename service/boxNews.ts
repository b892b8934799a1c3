import type { Boxes } from './boxes/boxes.ts';
import type { EventSubscribers } from './http/eventSubscribers.ts';
import type { Logger } from './logger.ts';

/** Tells a user's windows, where there are any, what their box has come to. */
export function tellOfBoxes(parts: {
  boxes: Pick<Boxes, 'onChange' | 'describe'>;
  subscribers: Pick<EventSubscribers, 'isHeard' | 'publish'>;
  log: Logger;
}): void {
  const { boxes, subscribers, log } = parts;
  boxes.onChange((user) => {
    if (!subscribers.isHeard(user.userId)) return;
    boxes.describe(user).then(
      (box) => subscribers.publish(user.userId, { type: 'box.changed', box }),
      (error: unknown) => log.failure('box.describe', error, { userId: user.userId }),
    );
  });
}
