import { type Static, Type } from 'typebox';

/** Data keys that are being exchanged. */
export const DataKeyRotation = Type.Object({
  /** Users whose old key is still needed, or may be for a moment. */
  owners: Type.Integer(),
  /** Values sealed anew since the service started. */
  resealed: Type.Integer(),
  /** Values that do not open: they keep their old key from being destroyed. */
  unopened: Type.Integer(),
});
export type DataKeyRotation = Static<typeof DataKeyRotation>;

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
  rotation: DataKeyRotation,
});
export type KeyStatus = Static<typeof KeyStatus>;

export const RewrappedKeys = Type.Object({ rewrapped: Type.Integer(), ...KeyStatus.properties });
export type RewrappedKeys = Static<typeof RewrappedKeys>;

const closed = { additionalProperties: false } as const;
/** Absent: all users. */
const username = Type.Optional(Type.String({ maxLength: 64 }));

export const RotateDataKeysRequest = Type.Object({ username }, closed);
export const RotatedDataKeys = Type.Object({ users: Type.Integer(), ...KeyStatus.properties });
export type RotatedDataKeys = Static<typeof RotatedDataKeys>;

export const RotateSealKeysRequest = Type.Object(
  {
    username,
    /** Keys that are younger than this stay. Default: all are exchanged. */
    minAgeMs: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  },
  closed,
);
export const RotatedSealKeys = Type.Object({
  /** Whose key was exchanged. */
  users: Type.Integer(),
  sealed: Type.Integer(),
  /** Stored values that do not open: they stay as they are, and keep their old key. */
  unopened: Type.Integer(),
});
export type RotatedSealKeys = Static<typeof RotatedSealKeys>;
