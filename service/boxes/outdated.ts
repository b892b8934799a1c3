import type { BoxDifference } from '../../protocol/boxes.ts';
import { specHash } from './boxSpec.ts';
import type { BoxSpec, EngineBox } from './engine.ts';

/**
 * In what a running box differs from one that would be made now. The image counts by what its name stands for, so one that
 * was built or pulled anew under the same name is noticed, and another name for the same image is none.
 * @param imageId of `spec.image` at present; undefined while it is not known
 */
export function differences(made: EngineBox, spec: BoxSpec, imageId: string | undefined): BoxDifference[] {
  const isOtherImage = imageId !== undefined && made.imageId !== undefined && made.imageId !== imageId;
  return [
    ...(isOtherImage ? ['image' as const] : []),
    ...(made.specHash === specHash(spec) ? [] : ['settings' as const]),
  ];
}
