import { type Static, Type } from 'typebox';

/** What a client needs to seal values for one user. Clients keep the first one they see and ask a person when it changes. */
export const SealKey = Type.Object({
  /** First 8 hex digits of BLAKE2b-256(public key). */
  keyId: Type.String({ pattern: '^[0-9a-f]{8}$' }),
  /** X25519, base64. */
  publicKey: Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' }),
});
export type SealKey = Static<typeof SealKey>;
