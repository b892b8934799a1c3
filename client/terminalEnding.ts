import { SpoonError } from '../protocol/errors.ts';
import { closeCode } from '../protocol/terminalFrames.ts';
import type { Ending } from './reconnectRules.ts';

/** What an ending means for the terminal itself: `isOver` when it is gone, so that trying again would be in vain. */
export function endingOf(ending: Exclude<Ending, { by: 'caller' }>): { error: SpoonError; isOver: boolean } {
  if (ending.by === 'refusal') {
    const { error } = ending;
    if (error.code === 'not-found') return { error: new SpoonError('terminal-ended'), isOver: true };
    return { error, isOver: error.code === 'box-stopped' || error.status === 410 };
  }
  switch (ending.code) {
    case closeCode.unshared:
      return { error: new SpoonError('share-ended', ending.reason), isOver: true };
    case closeCode.ended:
      return { error: new SpoonError('terminal-ended'), isOver: true };
    case closeCode.boxGone:
      return {
        error: new SpoonError('box-stopped', 'The home is as it was. Open a new terminal to start the box.'),
        isOver: true,
      };
    case closeCode.revoked:
      return { error: new SpoonError('unauthenticated', 'The token was revoked. Sign in again.'), isOver: false };
    default:
      return {
        error: new SpoonError('service-incompatible', `The connection was refused (${ending.code}). Update Spoon.`),
        isOver: false,
      };
  }
}
