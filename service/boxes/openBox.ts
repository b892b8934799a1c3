import { SpoonError } from '../../protocol/errors.ts';
import { boxdProtocol, oldestBoxdProtocol } from '../../protocol/version.ts';
import { BoxdClient } from './boxdClient.ts';
import type { BoxdLink } from './boxdLink.ts';
import type { EngineBox } from './engine.ts';
import { untilAnswered } from './patience.ts';
import { Pulse } from './pulse.ts';
import type { BoxUser, RunningBox } from './runningBox.ts';

interface Opening {
  readonly user: BoxUser;
  /** Until it has dialled, and again until it has answered. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onSilence: (isSilent: boolean) => void;
}

/**
 * Waits until boxd has dialled, and then for its answer whether it speaks what this service does.
 * @throws SpoonError `box-misbehaved`, `box-unavailable`; the signal's reason
 */
export async function openBox(
  link: BoxdLink,
  { startedMs, engineId, imageId }: EngineBox,
  { user, timeoutMs, signal, onSilence }: Opening,
): Promise<RunningBox> {
  await link.whenDialled(timeoutMs, signal);
  const boxd = new BoxdClient(link);
  const { protocol } = await untilAnswered(() => boxd.stat(signal), { patienceMs: timeoutMs, signal });
  if (protocol < oldestBoxdProtocol || protocol > boxdProtocol) {
    throw new SpoonError(
      'box-misbehaved',
      `Its boxd speaks version ${protocol}; this service speaks ${oldestBoxdProtocol} to ${boxdProtocol}.`,
    );
  }
  const pulse = new Pulse({ ask: (asking) => boxd.ping(asking), onChange: onSilence });
  return { user, boxd, link, pulse, startedMs, engineId, imageId };
}
