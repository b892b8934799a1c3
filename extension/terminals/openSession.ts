import { type TerminalPlace, TerminalSession, type TerminalViewer } from '../../client/terminalSession.ts';
import type { OpenTerminalRequest } from '../../protocol/terminals.ts';

/**
 * A new terminal. Its box may have to be set up first, which can take minutes; `openNow` gives up the wait for that and not
 * the terminal.
 * @throws what {@link TerminalSession.open} throws
 */
export async function openSession(
  place: TerminalPlace,
  request: OpenTerminalRequest,
  viewer: TerminalViewer,
  { stop, openNow }: { stop: AbortSignal; openNow: AbortSignal },
): Promise<TerminalSession> {
  try {
    return await TerminalSession.open(place, request, viewer, AbortSignal.any([stop, openNow]));
  } catch (error) {
    if (!openNow.aborted || stop.aborted) throw error;
  }
  return TerminalSession.open(place, { ...request, withoutWaiting: true }, viewer, stop);
}
