import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { SpoonError } from '../protocol/errors.ts';
import { maxSnapshotBytes } from '../protocol/limits.ts';
import type { CommandMessage, SilenceMessage, TerminalMessage } from '../protocol/terminalFrames.ts';

/** Control messages come from a box, where the user's own programs run: they are checked like any other answer. */

const offset = Type.Integer({ minimum: 0 });
const signal = Type.Union([Type.String({ maxLength: 32 }), Type.Null()]);
const code = Type.Integer({ minimum: 0, maximum: 255 });

const terminalMessages = {
  attached: Type.Object({
    type: Type.Literal('attached'),
    offset,
    missed: offset,
    columns: Type.Integer(),
    rows: Type.Integer(),
  }),
  snapshot: Type.Object({
    type: Type.Literal('snapshot'),
    offset,
    bytes: Type.Integer({ minimum: 0, maximum: maxSnapshotBytes }),
    columns: Type.Integer(),
    rows: Type.Integer(),
  }),
  exit: Type.Object({ type: Type.Literal('exit'), code, signal, ranMs: Type.Number() }),
};

const commandMessages = {
  exit: Type.Object({
    type: Type.Literal('exit'),
    code,
    signal,
    detail: Type.Optional(Type.String({ maxLength: 4096 })),
  }),
  stdinAck: Type.Object({ type: Type.Literal('stdinAck'), offset }),
};

export type TerminalExit = Omit<Extract<TerminalMessage, { type: 'exit' }>, 'type'>;
export type CommandExit = Omit<Extract<CommandMessage, { type: 'exit' }>, 'type'>;

/** Undefined for a type that only a newer box knows. @throws SpoonError `box-misbehaved` */
export function parseTerminalMessage(message: { type: string }): TerminalMessage | SilenceMessage | undefined {
  if (message.type === 'boxSilent' || message.type === 'boxAnswers') return { type: message.type };
  if (message.type !== 'attached' && message.type !== 'snapshot' && message.type !== 'exit') return undefined;
  const schema = terminalMessages[message.type];
  if (!Value.Check(schema, message)) throw misbehaved(message.type);
  return message;
}

/** Undefined for a type that only a newer box knows. @throws SpoonError `box-misbehaved` */
export function parseCommandMessage(message: { type: string }): CommandMessage | undefined {
  if (message.type !== 'exit' && message.type !== 'stdinAck') return undefined;
  const schema = commandMessages[message.type];
  if (!Value.Check(schema, message)) throw misbehaved(message.type);
  return message;
}

function misbehaved(type: 'attached' | 'snapshot' | 'exit' | 'stdinAck'): SpoonError {
  return new SpoonError('box-misbehaved', `Its message "${type}" has the wrong form.`);
}
