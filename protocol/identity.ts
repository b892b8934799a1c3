import { type Static, Type } from 'typebox';

export const User = Type.Object({
  id: Type.String(),
  username: Type.String(),
  displayName: Type.String(),
  createdMs: Type.Integer(),
  disabled: Type.Boolean(),
  /** May sign in as an administrator, which gives a token of its own. Absent from an older service. */
  admin: Type.Optional(Type.Boolean()),
});
export type User = Static<typeof User>;

export const TokenKind = Type.Union([Type.Literal('user'), Type.Literal('admin')]);
export type TokenKind = Static<typeof TokenKind>;

export const TokenInfo = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: TokenKind,
  scopes: Type.Array(Type.String()),
  createdMs: Type.Integer(),
  expiresMs: Type.Integer(),
  lastUsedMs: Type.Union([Type.Integer(), Type.Null()]),
});
export type TokenInfo = Static<typeof TokenInfo>;

export const Me = Type.Object({
  kind: Type.Union([TokenKind, Type.Literal('operator')]),
  user: Type.Union([User, Type.Null()]),
  scopes: Type.Array(Type.String()),
});
export type Me = Static<typeof Me>;

export const CreateUserRequest = Type.Object(
  {
    /** The profile's name; the username comes from its first word and is fixed for life. */
    displayName: Type.String({ minLength: 1, maxLength: 200 }),
    /** Given only to choose it oneself. */
    username: Type.Optional(Type.String()),
    /** Login shell, an absolute path in the image. Default `/bin/bash`. */
    shell: Type.Optional(Type.String({ pattern: '^/[A-Za-z0-9._/+-]{1,120}$' })),
  },
  { additionalProperties: false },
);
export type CreateUserRequest = Static<typeof CreateUserRequest>;

export const RenameUserRequest = Type.Object(
  { displayName: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
);

export const RemoveUserRequest = Type.Object(
  /** The username once more: what is removed cannot be brought back. */
  { confirm: Type.String({ maxLength: 100 }) },
  { additionalProperties: false },
);

/** `homeRemoved` false: nothing stored can be read any more, but the home's files wait until boxes can run again. */
export const RemovedUser = Type.Object({ username: Type.String(), homeRemoved: Type.Boolean() });
export type RemovedUser = Static<typeof RemovedUser>;

export const CreateTokenRequest = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    /** 1 to 365 days, default 90. */
    lifeDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
    kind: Type.Optional(TokenKind),
  },
  { additionalProperties: false },
);
export type CreateTokenRequest = Static<typeof CreateTokenRequest>;

export const RenewTokenRequest = Type.Object(
  /** 1 to 365 days from now, default 90; never more than a year after the token was made. */
  { lifeDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })) },
  { additionalProperties: false },
);

/** The only time that the token itself is sent. */
export const CreatedToken = Type.Object({ token: Type.String(), info: TokenInfo });
export type CreatedToken = Static<typeof CreatedToken>;

export const TokenList = Type.Object({ tokens: Type.Array(TokenInfo) });
export type TokenList = Static<typeof TokenList>;
