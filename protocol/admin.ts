import { type Static, Type } from 'typebox';
import { BoxState, Health, Holder } from './boxes.ts';
import { User } from './identity.ts';

/**
 * What an administrator sees of users, boxes and the machine: states, counts, sizes and times. Never a name that somebody gave
 * to something, a path, a title or a content.
 */

export const BoxLoad = Type.Object({
  /** Of one CPU: 150 is one and a half. Since the last look, or since the start at the first. */
  cpuPercent: Type.Number({ minimum: 0 }),
  memoryBytes: Type.Number({ minimum: 0 }),
  memoryLimitBytes: Type.Number({ minimum: 0 }),
  processes: Type.Integer({ minimum: 0 }),
});
export type BoxLoad = Static<typeof BoxLoad>;

export const BoxSummary = Type.Object({
  username: Type.String(),
  state: BoxState,
  startedMs: Type.Union([Type.Integer(), Type.Null()]),
  /** How many of each kind hold it, without what they are called. Absent from an older service. */
  holders: Type.Optional(
    Type.Array(Type.Object({ kind: Holder.properties.kind, count: Type.Integer({ minimum: 1 }) })),
  ),
  /** When it stops by itself; null while held or off. */
  stopsAtMs: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  /** Absent where the engine does not count it, and for a box that is off. */
  load: Type.Optional(BoxLoad),
});
export type BoxSummary = Static<typeof BoxSummary>;
export const BoxList = Type.Object({ boxes: Type.Array(BoxSummary) });
export type BoxList = Static<typeof BoxList>;

export const AdminUser = Type.Object({
  ...User.properties,
  admin: Type.Boolean(),
  /** Of the token that was used last, to the minute; null: none was, or all are gone. */
  lastUsedMs: Type.Union([Type.Integer(), Type.Null()]),
  box: BoxState,
  dotfiles: Type.Integer({ minimum: 0 }),
  /** Of all versions of all dotfiles. The home is not in it. */
  storedBytes: Type.Number({ minimum: 0 }),
});
export type AdminUser = Static<typeof AdminUser>;
export const AdminUserList = Type.Object({ users: Type.Array(AdminUser) });
export type AdminUserList = Static<typeof AdminUserList>;

export const DiskSpace = Type.Object({
  /** What lies there. One that holds both is told once, as `all`. */
  holds: Type.Union([Type.Literal('all'), Type.Literal('database'), Type.Literal('homes')]),
  freeBytes: Type.Number(),
  totalBytes: Type.Number(),
});
export type DiskSpace = Static<typeof DiskSpace>;

/** One thing that is not as it should be, in plain words. `failed`: something cannot be used; `warning`: somebody should look. */
export const HealthFinding = Type.Object({
  about: Type.Union([
    Type.Literal('database'),
    Type.Literal('key'),
    Type.Literal('engine'),
    Type.Literal('image'),
    Type.Literal('disk'),
    Type.Literal('certificate'),
  ]),
  state: Type.Union([Type.Literal('warning'), Type.Literal('failed')]),
  text: Type.String(),
});
export type HealthFinding = Static<typeof HealthFinding>;

/** `health.problems` has the reasons in full, also from elsewhere than the service's own machine. */
export const AdminStatus = Type.Object({
  health: Health,
  startedMs: Type.Integer(),
  disks: Type.Array(DiskSpace),
  /** What `health.problems` has, by what it is about. Absent from an older service. */
  findings: Type.Optional(Type.Array(HealthFinding)),
  /** When the last backup was handed out whole; null: none was. Absent from an older service. */
  lastBackupMs: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
});
export type AdminStatus = Static<typeof AdminStatus>;
