import { type Static, Type } from 'typebox';
import { maxShareLifeMs, minShareLifeMs } from './limits.ts';

/** A terminal that its owner lets somebody else of the same service see, or use, for a while. */

export const ShareTerminalRequest = Type.Object(
  {
    with: Type.String({ minLength: 1, maxLength: 100 }),
    /** May type, and have the size of it. Default: only look. */
    write: Type.Optional(Type.Boolean()),
    /** One minute to a day; default an hour. */
    lifeMs: Type.Optional(Type.Integer({ minimum: minShareLifeMs, maximum: maxShareLifeMs })),
  },
  { additionalProperties: false },
);
export type ShareTerminalRequest = Static<typeof ShareTerminalRequest>;

export const Share = Type.Object({
  id: Type.String(),
  terminal: Type.String(),
  owner: Type.String(),
  guest: Type.String(),
  write: Type.Boolean(),
  createdMs: Type.Integer(),
  expiresMs: Type.Integer(),
  /** In how many places the guest looks at it now. */
  watching: Type.Integer({ minimum: 0 }),
});
export type Share = Static<typeof Share>;

export const ShareList = Type.Object({
  /** Of own terminals, to others. */
  given: Type.Array(Share),
  /** Of others' terminals. */
  received: Type.Array(Share),
});
export type ShareList = Static<typeof ShareList>;
