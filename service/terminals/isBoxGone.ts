import type { Boxes } from '../boxes/boxes.ts';

/** Within it a box that ended is known to have (`security.md` R26). */
const engineTellsMs = 5_000;

/** For a connection to a box that broke: whether it was the box that ended, which the engine tells a moment later. */
export async function isBoxGone(boxes: Pick<Boxes, 'running' | 'onChange'>, userId: string): Promise<boolean> {
  const answers = await boxes
    .running(userId)
    ?.boxd.stat()
    .then(
      () => true,
      () => false,
    );
  if (answers === true) return false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, engineTellsMs);
  const look = (): void => {
    if (boxes.running(userId) === undefined) resolve();
  };
  const unsubscribe = boxes.onChange(look);
  look();
  await promise;
  clearTimeout(timer);
  unsubscribe();
  return boxes.running(userId) === undefined;
}
