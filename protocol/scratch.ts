import { type Static, Type } from 'typebox';
import { RepositoryRun } from './repository.ts';

/** A test of the dotfiles repository in a throw-away box on a copy of the home. */

const HomeChange = Type.Object({
  /** Below the home; of a folder with a `/` at its end. */
  path: Type.String({ maxLength: 8192 }),
  change: Type.Union([Type.Literal('added'), Type.Literal('changed'), Type.Literal('removed')]),
});
export type HomeChange = Static<typeof HomeChange>;

export const HomeChanges = Type.Object({
  /** By path. */
  changes: Type.Array(HomeChange, { maxItems: 1000 }),
  moreChanges: Type.Integer({ minimum: 0 }),
});
export type HomeChanges = Static<typeof HomeChanges>;

export const CopiedHome = Type.Object({
  bytes: Type.Integer({ minimum: 0 }),
  files: Type.Integer({ minimum: 0 }),
  /** What is no file, link or folder, or cannot be read. */
  left: Type.Integer({ minimum: 0 }),
  endedMs: Type.Integer(),
});
export type CopiedHome = Static<typeof CopiedHome>;

export const ScratchTest = Type.Object({
  state: Type.Union([Type.Literal('running'), Type.Literal('ok'), Type.Literal('failed'), Type.Literal('cancelled')]),
  /** What is done while it runs. */
  phase: Type.Union([
    Type.Literal('copying'),
    Type.Literal('setup'),
    Type.Literal('comparing'),
    Type.Literal('removing'),
    Type.Literal('ended'),
  ]),
  startedMs: Type.Integer(),
  endedMs: Type.Union([Type.Integer(), Type.Null()]),
  /** Whether the setup has the secrets of setups: only a commit that was agreed to has. */
  withSecrets: Type.Boolean(),
  copied: Type.Union([CopiedHome, Type.Null()]),
  /** Clone, setup and overlay, as a real run tells them. */
  run: Type.Union([RepositoryRun, Type.Null()]),
  /** What the real home would have otherwise; null: it did not come to that. */
  home: Type.Union([HomeChanges, Type.Null()]),
  /** Whether its box and copy are gone; else that is tried again each minute. */
  isRemoved: Type.Boolean(),
  /** Why it ended early. */
  detail: Type.Optional(Type.String({ maxLength: 2048 })),
});
export type ScratchTest = Static<typeof ScratchTest>;

/** Null: none since the service started. */
export const ScratchTestState = Type.Object({ test: Type.Union([ScratchTest, Type.Null()]) });
export type ScratchTestState = Static<typeof ScratchTestState>;
