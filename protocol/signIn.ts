import { type Static, Type } from 'typebox';

/**
 * Signing in with a password, in a browser: authorization code with PKCE for a program on the same machine (RFC 8252, RFC
 * 7636), device code for one without a browser (RFC 8628). What a program gets in the end is an ordinary token.
 */

/** Where the browser may take a code to: this machine, or VS Code. */
export const loopbackRedirect = /^http:\/\/(?:127\.0\.0\.1|\[::1\]):\d{1,5}\/[A-Za-z0-9/_-]{0,100}$/;
export const editorRedirect = /^(?:vscode|vscode-insiders|vscodium|code-oss):\/\/spoon-dev\.spoon\/auth$/;

/** The service's own page for administrators. Its code comes in the fragment of the address, which browsers send to nobody. */
export const adminPagePath = '/admin';

const clientName = { maxLength: 100 };
const randomText = '^[A-Za-z0-9._~-]{43,128}$';

/**
 * Checked by hand beyond this: who made a mistake in it is a person in front of a browser. `kind` asks for the token of an
 * administrator, which ends within hours and reads nobody's contents.
 */
export const SignInQuery = Type.Object(
  {
    redirect_uri: Type.Optional(Type.String({ maxLength: 300 })),
    state: Type.Optional(Type.String({ maxLength: 200 })),
    code_challenge: Type.Optional(Type.String({ maxLength: 200 })),
    code_challenge_method: Type.Optional(Type.String({ maxLength: 20 })),
    client_name: Type.Optional(Type.String(clientName)),
    kind: Type.Optional(Type.Literal('admin')),
  },
  { additionalProperties: false },
);
export type SignInQuery = Static<typeof SignInQuery>;

const field = (maxLength: number) => Type.String({ maxLength });

export const SignInForm = Type.Object(
  {
    ...SignInQuery.properties,
    username: field(100),
    password: field(1024),
  },
  { additionalProperties: false },
);

export const InviteForm = Type.Object(
  { invite: field(200), password: field(1024), again: field(1024) },
  { additionalProperties: false },
);

export const DeviceForm = Type.Object(
  { user_code: field(20), username: field(100), password: field(1024) },
  { additionalProperties: false },
);

/** One of the forms above, whose other button was taken: what was typed of a password does not count. */
export const OidcForm = Type.Object(
  {
    ...SignInQuery.properties,
    invite: Type.Optional(field(200)),
    user_code: Type.Optional(field(20)),
    username: Type.Optional(field(100)),
    password: Type.Optional(field(1024)),
    again: Type.Optional(field(1024)),
  },
  { additionalProperties: false },
);
export type OidcForm = Static<typeof OidcForm>;

/** Of a provider, which may say more than it has to. */
export const OidcAnswer = Type.Object({ state: Type.Optional(Type.String({ maxLength: 200 })) });

export const DeviceAnswerForm = Type.Object(
  { confirm: field(100), answer: Type.Union([Type.Literal('approve'), Type.Literal('deny')]) },
  { additionalProperties: false },
);

export const CodeExchange = Type.Object(
  {
    code: Type.String({ maxLength: 100 }),
    codeVerifier: Type.String({ pattern: randomText }),
    redirectUri: Type.String({ maxLength: 300 }),
  },
  { additionalProperties: false },
);

export const DeviceRequest = Type.Object(
  /** Shown to the person who is asked to approve it. */
  { clientName: Type.String({ minLength: 1, ...clientName }), kind: Type.Optional(Type.Literal('admin')) },
  { additionalProperties: false },
);

export const DeviceCode = Type.Object({
  deviceCode: Type.String(),
  /** For the person to type, as `XXXX-XXXX`. */
  userCode: Type.String(),
  /** Below the service's own address. */
  path: Type.String(),
  expiresInMs: Type.Integer(),
  /** Asked again sooner, it says `slow-down`. */
  intervalMs: Type.Integer(),
});
export type DeviceCode = Static<typeof DeviceCode>;

export const DeviceExchange = Type.Object(
  { deviceCode: Type.String({ maxLength: 100 }) },
  { additionalProperties: false },
);

export const ChangePasswordRequest = Type.Object(
  {
    /** A token alone does not take over an account. The first password comes with an invite. */
    current: Type.String({ maxLength: 1024 }),
    password: Type.String({ maxLength: 1024 }),
  },
  { additionalProperties: false },
);

export const InviteRequest = Type.Object(
  /** 1 to 30 days, default 3. */
  { lifeDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 30 })) },
  { additionalProperties: false },
);

export const Invite = Type.Object({
  username: Type.String(),
  /** Works once. The secret is in the fragment, which browsers do not send. */
  link: Type.String(),
  expiresMs: Type.Integer(),
});
export type Invite = Static<typeof Invite>;
