import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { maxDotfilesPerUser, maxTerminalsPerUser } from './limits.ts';

/** What an account may use, as an operator sets it, and what it does use. Counts and sizes: never a name or a path. */

const mebi = 2 ** 20;
/** 1 PiB: far from where a number is no longer exact. */
const mostBytes = 2 ** 50;

/** With less of each, a box does not start, or nothing can be done in it. */
const settable = {
  memoryBytes: Type.Integer({ minimum: 256 * mebi, maximum: mostBytes }),
  /** Kept to a thousandth. */
  cpus: Type.Number({ minimum: 0.1, maximum: 1024 }),
  processes: Type.Integer({ minimum: 64, maximum: 4_194_304 }),
  terminals: Type.Integer({ minimum: 1, maximum: maxTerminalsPerUser }),
  dotfiles: Type.Integer({ minimum: 1, maximum: maxDotfilesPerUser }),
  /** Of the current contents together, without older versions. */
  dotfileBytes: Type.Integer({ minimum: mebi, maximum: mostBytes }),
  /** What the home takes on its disk. */
  homeBytes: Type.Integer({ minimum: mebi, maximum: mostBytes }),
};
export type QuotaName = keyof typeof settable;
export const quotaNames = Object.keys(settable) as QuotaName[];

/** `null`: as for everybody. What is left out stays as it is. */
export const QuotaChange = Type.Object(changeOf(settable), { additionalProperties: false });
export type QuotaChange = { readonly [K in QuotaName]?: number | null };

/** All that hold for one user; `null` for what is not limited. */
export const Limits = Type.Object({
  memoryBytes: Type.Number(),
  cpus: Type.Number(),
  processes: Type.Integer(),
  terminals: Type.Integer(),
  dotfiles: Type.Integer(),
  dotfileBytes: Type.Union([Type.Number(), Type.Null()]),
  homeBytes: Type.Union([Type.Number(), Type.Null()]),
});
export type Limits = Static<typeof Limits>;

const count = Type.Number({ minimum: 0 });
const known = Type.Union([count, Type.Null()]);

export const Usage = Type.Object({
  /** Of the running box; null where it is off or the engine does not count it. `cpuPercent` 150 is one and a half CPUs. */
  cpuPercent: known,
  memoryBytes: known,
  processes: known,
  terminals: known,
  dotfiles: count,
  dotfileBytes: count,
  /** Of all versions of all dotfiles. */
  storedBytes: count,
  /** As it was counted last, inside of the box; null: not since the service started. */
  homeBytes: known,
});
export type Usage = Static<typeof Usage>;

export const UserQuota = Type.Object({
  username: Type.String(),
  limits: Limits,
  /** Which of them were set for this user. */
  own: Type.Array(Type.Unsafe<QuotaName>(Type.Union(quotaNames.map((name) => Type.Literal(name))))),
  usage: Usage,
});
export type UserQuota = Static<typeof UserQuota>;

export const UsageReport = Type.Object({ users: Type.Array(UserQuota), total: Usage });
export type UsageReport = Static<typeof UsageReport>;

function changeOf<P extends Record<string, TSchema>>(properties: P): TObject['properties'] {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, Type.Optional(Type.Union([schema, Type.Null()]))]),
  );
}
