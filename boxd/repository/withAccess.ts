import { SpoonError } from '../../protocol/errors.ts';
import { isSshAddress } from '../../protocol/sshAddress.ts';
import type { RunRequest } from './runRequest.ts';

/** Asks the server, and says of a refusal what a person can do about it. @throws SpoonError `repository-private`; what `ask` throws */
export async function withAccess<T>(
  { url, credential }: Pick<RunRequest, 'url' | 'credential'>,
  ask: () => Promise<T>,
): Promise<T> {
  if (isSshAddress(url) && credential === null) {
    throw new SpoonError('repository-private', 'An address with ssh needs a deploy key. Give Spoon one.');
  }
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof SpoonError) || error.code !== 'repository-private') throw error;
    throw new SpoonError('repository-private', adviceFor(credential), { cause: error });
  }
}

function adviceFor(credential: RunRequest['credential']): string {
  switch (credential?.kind) {
    case undefined:
      return 'Its server asks who you are, or has nothing at this address. If it is private, give Spoon a token for it.';
    case 'token':
      return 'Its server does not accept the token, or has nothing at this address. Give Spoon a new token.';
    case 'key':
      return 'Its server does not let the deploy key in, or has nothing at this address. Add the key there, or give Spoon another.';
  }
}
