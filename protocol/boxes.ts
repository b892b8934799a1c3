import { type Static, Type } from 'typebox';

export const EngineName = Type.Union([Type.Literal('docker'), Type.Literal('process'), Type.Literal('none')]);
export type EngineName = Static<typeof EngineName>;

export const BoxState = Type.Union([
  Type.Literal('stopped'),
  Type.Literal('starting'),
  Type.Literal('running'),
  Type.Literal('stopping'),
  Type.Literal('failed'),
]);
export type BoxState = Static<typeof BoxState>;

/** Why a box stays up. Derived from what runs, never counted. */
export const Holder = Type.Object({
  kind: Type.Union([
    Type.Literal('viewer'),
    Type.Literal('terminal'),
    Type.Literal('command'),
    Type.Literal('job'),
    Type.Literal('pin'),
  ]),
  id: Type.String(),
  label: Type.String(),
});
export type Holder = Static<typeof Holder>;

/** In the order in which they run (design section 6). */
export const StageName = Type.Union([
  Type.Literal('home'),
  Type.Literal('repository'),
  Type.Literal('setup'),
  Type.Literal('overlay'),
]);
export const StageReport = Type.Object({
  name: StageName,
  state: Type.Union([Type.Literal('ok'), Type.Literal('failed'), Type.Literal('running'), Type.Literal('cancelled')]),
  startedMs: Type.Integer(),
  /** So far, while it runs. */
  durationMs: Type.Number(),
  /** Of a program that was run. */
  exitCode: Type.Optional(Type.Integer()),
  detail: Type.Optional(Type.String()),
});
export type StageReport = Static<typeof StageReport>;

/** In what a running box differs from one that would be made now; `settings` is all but the image. */
export const BoxDifference = Type.Union([Type.Literal('image'), Type.Literal('settings')]);
export type BoxDifference = Static<typeof BoxDifference>;

export const Box = Type.Object({
  state: BoxState,
  engine: EngineName,
  username: Type.String(),
  home: Type.String(),
  startedMs: Type.Union([Type.Integer(), Type.Null()]),
  holders: Type.Array(Holder),
  /** When it would be stopped if nothing else held it; null while held or off. */
  stopsAtMs: Type.Union([Type.Integer(), Type.Null()]),
  /** Nothing stops it by itself before then; absent where nobody asked for that. */
  pinnedUntilMs: Type.Optional(Type.Integer()),
  stages: Type.Array(StageReport),
  /** It runs and has not answered for so long. Absent: it answers, as far as anybody has looked. */
  silentMs: Type.Optional(Type.Integer()),
  /** Made from something older; replaced when nothing holds it. Absent: it is as a new one would be. */
  outdated: Type.Optional(Type.Array(BoxDifference)),
  /** The last reason why it ended or failed, for a person. */
  detail: Type.Optional(Type.String()),
});
export type Box = Static<typeof Box>;

/** For who has the engine of the box at hand; null where the box is no container. */
export const BoxContainer = Type.Object({ containerId: Type.Union([Type.String({ maxLength: 128 }), Type.Null()]) });
export type BoxContainer = Static<typeof BoxContainer>;

export const PinRequest = Type.Object({ untilMs: Type.Integer() }, { additionalProperties: false });
export type PinRequest = Static<typeof PinRequest>;

export const Health = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded')]),
  /** Product version, semver. */
  version: Type.String(),
  apiVersion: Type.Integer(),
  /** The same for the life of a database; names the service when its URL changes. */
  instanceId: Type.String(),
  engine: EngineName,
  /** In plain words, what is not as it should be. */
  problems: Type.Array(Type.String()),
});
export type Health = Static<typeof Health>;
