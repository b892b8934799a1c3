import { type Static, Type } from 'typebox';

/** The root keys that this database knows, and how many data keys each wraps. Ids only; no key is ever sent. */
export const KeyStatus = Type.Object({
  keys: Type.Array(
    Type.Object({
      /** 8 hex digits. */
      id: Type.String(),
      createdMs: Type.Integer(),
      /** Wraps what is made now. */
      isCurrent: Type.Boolean(),
      /** Whether the service was given it. */
      isAvailable: Type.Boolean(),
      dataKeys: Type.Integer(),
    }),
  ),
});
export type KeyStatus = Static<typeof KeyStatus>;

export const RewrappedKeys = Type.Object({ rewrapped: Type.Integer(), ...KeyStatus.properties });
export type RewrappedKeys = Static<typeof RewrappedKeys>;
