import { type ErrorCode, SpoonError } from '../protocol/errors.ts';
import type { ApiClient } from './apiClient.ts';

/** Who signs out does not wait for long: the token that cannot be ended ends by itself. */
const endTokenMs = 3_000;

/** A token that is refused like this is of no use to anybody any more. */
const ended = new Set<ErrorCode>(['unauthenticated', 'token-expired', 'user-disabled', 'not-found']);

/**
 * For who signs out: ends the token that their sign-in made.
 * @param api whose own token may revoke it, such as itself
 * @returns why it may live on; undefined when it has ended, now or before
 */
export async function endToken(api: ApiClient, id: string): Promise<SpoonError | undefined> {
  try {
    await api.call('revokeToken', { params: { id }, timeoutMs: endTokenMs });
    return undefined;
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    return ended.has(error.code) ? undefined : error;
  }
}
