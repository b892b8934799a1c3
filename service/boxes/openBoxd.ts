import { SpoonError } from '../../protocol/errors.ts';
import { boxdProtocol, oldestBoxdProtocol } from '../../protocol/version.ts';
import { BoxdClient } from './boxdClient.ts';
import type { BoxdLink } from './boxdLink.ts';

/** Asks a boxd that has dialled whether it speaks what this service does. @throws SpoonError `box-misbehaved` */
export async function openBoxd(link: BoxdLink, signal?: AbortSignal): Promise<BoxdClient> {
  const boxd = new BoxdClient(link);
  const { protocol } = await boxd.stat(signal);
  if (protocol >= oldestBoxdProtocol && protocol <= boxdProtocol) return boxd;
  throw new SpoonError(
    'box-misbehaved',
    `Its boxd speaks version ${protocol}; this service speaks ${oldestBoxdProtocol} to ${boxdProtocol}.`,
  );
}
