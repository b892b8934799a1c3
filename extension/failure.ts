import { type ErrorCode, SpoonError } from '../protocol/errors.ts';

/** A failure as a person is told of it: what happened, what is still fine, the one thing to do. No VS Code in here. */

export type Remedy = 'Sign In' | 'Retry' | 'Show Log' | 'Open Safe Terminal' | 'Check for Updates';

export interface Failure {
  readonly message: string;
  readonly remedies: readonly Remedy[];
}

const signIn = new Set<ErrorCode>(['unauthenticated', 'token-expired', 'user-disabled']);
const retry = new Set<ErrorCode>([
  'service-unreachable',
  'shutting-down',
  'store-busy',
  'too-many-requests',
  'engine-unavailable',
  'box-start-failed',
  'box-unavailable',
]);

/** Undefined for what the person cancelled. */
export function describeFailure(error: unknown): Failure | undefined {
  if (isCancellation(error)) return undefined;
  if (!(error instanceof SpoonError)) {
    return { message: 'Something in the Spoon extension went wrong. Its log has the details.', remedies: ['Show Log'] };
  }
  const message = asPlainText(error.message);
  if (error.code === 'service-incompatible') {
    return { message, remedies: ['Check for Updates', 'Show Log'] };
  }
  if (signIn.has(error.code)) return { message, remedies: ['Sign In'] };
  if (retry.has(error.code)) return { message, remedies: ['Retry', 'Show Log'] };
  return { message, remedies: error.status >= 500 ? ['Show Log'] : [] };
}

export function isCancellation(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'Canceled');
}

/** One line for a message, a tooltip or a question. */
export function failureText(error: unknown): string {
  return asPlainText(error instanceof Error ? error.message : String(error));
}

/** Longer says nothing more to a person. */
const maxTextLength = 600;

/**
 * Text that came from a service, for places where VS Code looks for links: `[x](command:…)` would run a command when it is
 * clicked. Control characters go too, so that nothing pretends to be another line.
 */
export function asPlainText(text: string): string {
  const short = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return short.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').replaceAll('](', '] (');
}
