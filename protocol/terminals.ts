import { type Static, Type } from 'typebox';
import { maxArguments } from './limits.ts';

export const OpenTerminalRequest = Type.Object(
  {
    /** Below the home, relative to it (`Code/api/main`), or an absolute path in the box. Default: the home. */
    cwd: Type.Optional(Type.String({ maxLength: 4096 })),
    /** `{spoon}/{branch}`, instead of `cwd`: in the thread's folder. */
    thread: Type.Optional(Type.String({ maxLength: 512 })),
    columns: Type.Optional(Type.Integer()),
    rows: Type.Optional(Type.Integer()),
    /** A shell without the user's own start-up files, for the day when they are broken. */
    safe: Type.Optional(Type.Boolean()),
    /** Also while the setup of a box that was just started still runs; it goes on beside. */
    withoutWaiting: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type OpenTerminalRequest = Static<typeof OpenTerminalRequest>;

export const Terminal = Type.Object({
  id: Type.String(),
  title: Type.String(),
  cwd: Type.String(),
  createdMs: Type.Integer(),
  viewers: Type.Integer({ minimum: 0 }),
  columns: Type.Integer(),
  rows: Type.Integer(),
  /** `{spoon}/{branch}` of the thread that it was opened in. */
  thread: Type.Optional(Type.String()),
  /** Something other than the shell itself has the terminal, such as an editor or a build. */
  busy: Type.Boolean(),
  /** What was printed last, one line of plain text; empty while a full-screen program draws, which has its title. */
  lastLine: Type.String(),
});
export type Terminal = Static<typeof Terminal>;

/** The ticket is for the first viewer; more come from `POST /v1/tickets`. */
export const OpenedTerminal = Type.Object({
  terminal: Terminal,
  ticket: Type.String(),
  expiresInMs: Type.Integer(),
  /** What the person should know: the folder was missing, the box had to be started. */
  notes: Type.Array(Type.String()),
});
export type OpenedTerminal = Static<typeof OpenedTerminal>;

export const TerminalList = Type.Object({ terminals: Type.Array(Terminal) });
export type TerminalList = Static<typeof TerminalList>;

export const RunCommandRequest = Type.Object(
  {
    argv: Type.Array(Type.String(), { minItems: 1, maxItems: maxArguments }),
    cwd: Type.Optional(Type.String({ maxLength: 4096 })),
    /** `{spoon}/{branch}`, instead of `cwd`: in the thread's folder. */
    thread: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { additionalProperties: false },
);
export type RunCommandRequest = Static<typeof RunCommandRequest>;

/** The command starts when its one viewer attaches, and ends with it. */
export const PreparedCommand = Type.Object({
  id: Type.String(),
  ticket: Type.String(),
  expiresInMs: Type.Integer(),
  notes: Type.Array(Type.String()),
});
export type PreparedCommand = Static<typeof PreparedCommand>;

export const TicketRequest = Type.Object(
  {
    kind: Type.Union([Type.Literal('terminal'), Type.Literal('events'), Type.Literal('files'), Type.Literal('job')]),
    id: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type TicketRequest = Static<typeof TicketRequest>;

export const Ticket = Type.Object({ ticket: Type.String(), expiresInMs: Type.Integer() });
export type Ticket = Static<typeof Ticket>;

// biome-ignore lint/performance/noBarrelFile: the rule stands apart so that boxd gets it without the schema library
export { clampSize } from './terminalSize.ts';
