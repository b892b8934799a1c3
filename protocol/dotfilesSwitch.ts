import { type Static, Type } from 'typebox';
import { maxKeptNames } from './limits.ts';

/** What turning dotfiles off has done to the home. */
export const TakenOut = Type.Object({
  /** Entries of the overlay that are gone from the home. */
  removed: Type.Integer({ minimum: 0 }),
  /** Of which something older took its place again. */
  restored: Type.Integer({ minimum: 0 }),
  /** Paths that stayed: changed by hand since Spoon wrote them, or there before it; the first of them. */
  kept: Type.Array(Type.String({ maxLength: 4096 }), { maxItems: maxKeptNames }),
});
export type TakenOut = Static<typeof TakenOut>;

/** Whether overlay and repository are applied to the home at all. The store keeps everything either way. */
export const DotfilesSwitch = Type.Object({
  on: Type.Boolean(),
  /** False: the box was not there to be changed, and is at its next start. */
  applied: Type.Boolean(),
  /** Absent while they are on. */
  takenOut: Type.Optional(TakenOut),
});
export type DotfilesSwitch = Static<typeof DotfilesSwitch>;

export const SwitchDotfilesRequest = Type.Object({ on: Type.Boolean() }, { additionalProperties: false });
export type SwitchDotfilesRequest = Static<typeof SwitchDotfilesRequest>;

export const SwitchedDotfiles = Type.Object({
  ...DotfilesSwitch.properties,
  /** Of the repository: one was under way and has been ended; one has begun. */
  setup: Type.Union([Type.Literal('none'), Type.Literal('cancelled'), Type.Literal('begun')]),
});
export type SwitchedDotfiles = Static<typeof SwitchedDotfiles>;
