import { type Static, Type } from 'typebox';
import type { SealedUse } from './sealedBox.ts';

/** Where a secret appears unless asked for elsewhere. It is no wall: programs of one user in one box can see each other. */
export const SecretScope = Type.Union([Type.Literal('shells'), Type.Literal('setup'), Type.Literal('jobs')]);
export type SecretScope = Static<typeof SecretScope>;

/** There is no field for the value, here or anywhere: nothing gives one back. */
export const Secret = Type.Object({
  /** Of the environment variable. */
  name: Type.String(),
  /** In threads of this spoon only, before one of the same name for all; null: everywhere. */
  spoon: Type.Union([Type.String(), Type.Null()]),
  scopes: Type.Array(SecretScope),
  /** The variable holds the path of a file with the value, mode 600, in memory. */
  file: Type.Boolean(),
  updatedMs: Type.Integer(),
});
export type Secret = Static<typeof Secret>;
export const SecretList = Type.Object({ secrets: Type.Array(Secret) });
export type SecretList = Static<typeof SecretList>;

export const SetSecretRequest = Type.Object(
  {
    /** The value, sealed for `secretUse(name, spoon)`, in base64. Default: as before; a new one needs it. */
    sealed: Type.Optional(Type.String({ maxLength: 100_000, pattern: '^[A-Za-z0-9+/]+={0,2}$' })),
    spoon: Type.Optional(Type.String({ maxLength: 64 })),
    /** Default: as before, and of a new one shells. */
    scopes: Type.Optional(Type.Array(SecretScope, { minItems: 1, maxItems: 3, uniqueItems: true })),
    /** Default: as before, and of a new one false. */
    file: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type SetSecretRequest = Static<typeof SetSecretRequest>;

export const SetSecretResult = Type.Object({
  secret: Secret,
  /** Open shells that started before and so do not have this value. */
  olderTerminals: Type.Array(Type.String()),
});
export type SetSecretResult = Static<typeof SetSecretResult>;

/** What the value of a secret is sealed for. */
export function secretUse(name: string, spoon: string | null): SealedUse {
  return spoon === null ? `secret/${name}` : `secret/${spoon}/${name}`;
}
