import { type Static, Type } from 'typebox';
import { Box } from './boxes.ts';
import { Applied, Dotfile, DotfileDrift } from './dotfiles.ts';
import { DotfilesSwitch } from './dotfilesSwitch.ts';
import { Job } from './jobs.ts';
import { RepositoryState } from './repository.ts';
import { CheckoutProgress } from './threads.ts';

/** What the writer sent in the header `Spoon-Client`, so that a window can skip its own echo. */
const clientId = Type.Union([Type.String(), Type.Null()]);

/**
 * What `/v1/events` says, as JSON text frames, by `type`. A client that missed some (`hello` after a reconnect) lists again;
 * a type that it does not know comes from a newer service and is skipped.
 */
export const spoonEvents = {
  hello: Type.Object({ type: Type.Literal('hello'), instanceId: Type.String() }),
  'dotfile.saved': Type.Object({ type: Type.Literal('dotfile.saved'), dotfile: Dotfile, clientId }),
  'dotfile.removed': Type.Object({ type: Type.Literal('dotfile.removed'), path: Type.String(), clientId }),
  'dotfile.moved': Type.Object({
    type: Type.Literal('dotfile.moved'),
    from: Type.String(),
    dotfile: Dotfile,
    clientId,
  }),
  'dotfile.applied': Type.Object({ type: Type.Literal('dotfile.applied'), path: Type.String(), applied: Applied }),
  /** What differs in the home now, and what no longer does. Everything else is as it was. */
  'dotfile.drift': Type.Object({
    type: Type.Literal('dotfile.drift'),
    drifts: Type.Array(DotfileDrift),
    cleared: Type.Array(Type.String()),
  }),
  /** Spoons or threads came, went or were seen in another state: list again. */
  'threads.changed': Type.Object({ type: Type.Literal('threads.changed'), clientId }),
  /** Of a `createThread` that is under way; its end is the answer to that request. */
  'thread.progress': Type.Object({
    type: Type.Literal('thread.progress'),
    spoon: Type.String(),
    branch: Type.String(),
    progress: CheckoutProgress,
    clientId,
  }),
  'dotfiles.switched': Type.Object({ type: Type.Literal('dotfiles.switched'), dotfiles: DotfilesSwitch }),
  /** Settings of the dotfiles repository, its commit, or its run. */
  'repository.changed': Type.Object({ type: Type.Literal('repository.changed'), repository: RepositoryState }),
  /** One was set or removed: list again. */
  'secrets.changed': Type.Object({ type: Type.Literal('secrets.changed'), clientId }),
  /** A job came, or is in another state. Its output is not told here. */
  'job.changed': Type.Object({ type: Type.Literal('job.changed'), job: Job }),
  /** A terminal is shared, or no longer, or somebody came to watch or left: list again. */
  'shares.changed': Type.Object({ type: Type.Literal('shares.changed') }),
  /** Jobs were forgotten. */
  'job.removed': Type.Object({ type: Type.Literal('job.removed'), ids: Type.Array(Type.String()) }),
  'box.changed': Type.Object({ type: Type.Literal('box.changed'), box: Box }),
} as const;

export type SpoonEvent = {
  [Name in keyof typeof spoonEvents]: Static<(typeof spoonEvents)[Name]>;
}[keyof typeof spoonEvents];

export const clientIdHeader = 'spoon-client';
