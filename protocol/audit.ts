import { type Static, Type } from 'typebox';

/** What more there is to say of one entry: ids, counts, sizes, times, codes; of a clone its address and commit. */
export const AuditDetails = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]));
export type AuditDetails = Static<typeof AuditDetails>;

/** What is written down about who did what. Never a content, a path, a name of a secret, or anything typed. */
export const AuditEntry = Type.Object({
  seq: Type.Integer(),
  timeMs: Type.Integer(),
  /** Such as `user.disable`. */
  event: Type.String(),
  /** `started` is written before it is done, so that nothing is done unseen; what failed afterwards has a second entry. */
  result: Type.Union([Type.Literal('started'), Type.Literal('done'), Type.Literal('refused')]),
  /** Why it was refused: a code of `errors.ts`. */
  code: Type.Union([Type.String(), Type.Null()]),
  actor: Type.Object({
    kind: Type.Union([
      Type.Literal('user'),
      Type.Literal('admin'),
      Type.Literal('operator'),
      Type.Literal('worker'),
      /** The service itself, such as for a box that nobody uses any more. */
      Type.Literal('service'),
      Type.Literal('nobody'),
    ]),
    userId: Type.Union([Type.String(), Type.Null()]),
    username: Type.Union([Type.String(), Type.Null()]),
    tokenId: Type.Union([Type.String(), Type.Null()]),
  }),
  /** What it was done to: a username, or an id. */
  object: Type.Union([Type.String(), Type.Null()]),
  details: Type.Optional(AuditDetails),
  address: Type.Union([Type.String(), Type.Null()]),
  userAgent: Type.Union([Type.String(), Type.Null()]),
  requestId: Type.Union([Type.String(), Type.Null()]),
  /** Of this entry and all before it, in hex. */
  mac: Type.String(),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const AuditQuery = Type.Object(
  {
    /** Entries after this one; 0 begins at the first. Absent: the newest. */
    after: Type.Optional(Type.Integer({ minimum: 0 })),
    /** 1 to 1000, default 100. */
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    /** Who did it, or to whom or what it was done: a username, or an id, also one among the details. */
    about: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    /** Such as `user.disable`, or `user` for all that begin with `user.`. */
    event: Type.Optional(Type.String({ pattern: '^[a-z0-9.-]{1,64}$' })),
    result: Type.Optional(AuditEntry.properties.result),
    /** Unix milliseconds, from this one on. */
    fromMs: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Unix milliseconds, up to before this one. */
    toMs: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type AuditQuery = Static<typeof AuditQuery>;

export const AuditPage = Type.Object({
  entries: Type.Array(AuditEntry),
  /** All up to this one are no longer kept; 0: the first is still there. Absent from an older service. */
  removedTo: Type.Optional(Type.Integer()),
  /** Where the next page goes on; null at the end. */
  next: Type.Union([Type.Integer(), Type.Null()]),
});
export type AuditPage = Static<typeof AuditPage>;

const head = { seq: Type.Integer({ minimum: 0 }), mac: Type.String({ pattern: '^[0-9a-f]{64}$' }) };
export const AuditHead = Type.Object(head, { additionalProperties: false });
export type AuditHead = Static<typeof AuditHead>;

export const VerifyAuditRequest = Type.Object(
  /** One that was written down elsewhere: tells whether the end was cut off since. */
  { head: Type.Optional(AuditHead) },
  { additionalProperties: false },
);

export const AuditReport = Type.Object({
  entries: Type.Integer(),
  head: Type.Union([AuditHead, Type.Null()]),
  /** All up to this one were let go of, last at this time; null: none were. Absent from an older service. */
  removed: Type.Optional(Type.Union([Type.Object({ to: Type.Integer(), timeMs: Type.Integer() }), Type.Null()])),
  /** The first that is not as it was written; null: all are. */
  fault: Type.Union([Type.Object({ seq: Type.Integer(), why: Type.String() }), Type.Null()]),
});
export type AuditReport = Static<typeof AuditReport>;
