import type { Box } from './boxes.ts';
import type { Applied, Dotfile } from './dotfiles.ts';

/** What `/v1/events` says, as JSON text frames. A client that missed some (`hello` after a reconnect) lists again. */
export type SpoonEvent =
  | { type: 'hello'; instanceId: string }
  /** `clientId` is what the writer sent in the header `Spoon-Client`, so that a window can skip its own echo. */
  | { type: 'dotfile.saved'; dotfile: Dotfile; clientId: string | null }
  | { type: 'dotfile.removed'; path: string; clientId: string | null }
  | { type: 'dotfile.moved'; from: string; dotfile: Dotfile; clientId: string | null }
  | { type: 'dotfile.applied'; path: string; applied: Applied }
  | { type: 'box.changed'; box: Box };

export const clientIdHeader = 'spoon-client';
