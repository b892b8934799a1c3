import { SpoonError } from '../../protocol/errors.ts';
import type { BoxSpec, Engine } from './engine.ts';

const graceMs = 10_000;

/** Ends what a failed start may have left running. @returns why it failed, where the image is to blame that */
export async function afterFailedStart(
  error: unknown,
  spec: BoxSpec,
  { engine, report }: { engine: Engine; report: (problem: unknown) => void },
): Promise<unknown> {
  // Its own failure must not hide why we are here.
  const code = error instanceof SpoonError ? error.code : undefined;
  if (code === 'engine-unavailable') return error;
  await engine.stop(spec.username, graceMs).catch(report);
  const fault = code === 'box-start-failed' && (await engine.imageFault(spec).catch(report));
  return fault || error;
}
