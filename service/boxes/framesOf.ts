import { SpoonError } from '../../protocol/errors.ts';
import { readFrameBatches } from '../../protocol/overlayFrames.ts';

/** An answer of boxd that is made of frames. @throws SpoonError `box-misbehaved` */
export async function framesOf(body: Buffer, maxBytes: number): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  try {
    for await (const some of readFrameBatches([body], maxBytes)) frames.push(...some);
  } catch (cause) {
    throw new SpoonError('box-misbehaved', 'Its answer is not in frames.', { cause });
  }
  return frames;
}
