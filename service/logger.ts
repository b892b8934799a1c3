import pino, { type DestinationStream } from 'pino';
import { SpoonError } from '../protocol/errors.ts';

/**
 * What may be in a log line, and nothing else: no URL with its query, no header, no body, no path of a dotfile, no name a
 * person chose. Add a field only after asking what a thief of the log learns from it.
 */
export interface LogFields {
  readonly method?: string;
  /** The pattern of the route, `/v1/terminals/:id`, not what was asked for. */
  readonly route?: string;
  readonly status?: number;
  readonly ms?: number;
  readonly requestId?: string;
  readonly userId?: string;
  readonly tokenId?: string;
  /** Error code of protocol/errors.ts. */
  readonly code?: string;
  readonly engine?: string;
  readonly pid?: number;
  readonly url?: string;
  readonly instanceId?: string;
  /** Text of Spoon's own making. */
  readonly text?: string;
  readonly stack?: string;
}

export interface Logger {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** A bug or a failure of the machine: with the stack of a plain Error, only the code of a SpoonError. */
  failure(event: string, error: unknown, fields?: LogFields): void;
}

const maxTextCharacters = 1024;
const maxStackCharacters = 8192;

/** One JSON line per event. @param destination stdout where absent */
export function createLogger(destination?: DestinationStream): Logger {
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'text' };
  const log = destination === undefined ? pino(options) : pino(options, destination);
  return {
    info: (event, fields) => log.info({ event, ...cut(fields) }),
    warn: (event, fields) => log.warn({ event, ...cut(fields) }),
    failure: (event, error, fields) => log.error({ event, ...cut({ ...fields, ...describe(error) }) }),
  };
}

function describe(error: unknown): LogFields {
  if (error instanceof SpoonError) {
    const cause = error.cause instanceof Error && !(error.cause instanceof SpoonError) ? error.cause : undefined;
    return { code: error.code, ...(cause?.stack === undefined ? {} : { stack: cause.stack }) };
  }
  return {
    stack: error instanceof Error ? (error.stack ?? error.message) : 'Something that is not an Error was thrown.',
  };
}

/** Row 99: nobody fills the log, or hides a line in it, with a name of a megabyte. JSON escapes the control characters. */
function cut(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const limit = name === 'stack' ? maxStackCharacters : maxTextCharacters;
      return [name, typeof value === 'string' && value.length > limit ? `${value.slice(0, limit)}…` : value];
    }),
  );
}
