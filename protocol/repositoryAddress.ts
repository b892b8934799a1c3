import { checkBranchName } from './branchName.ts';
import { SpoonError } from './errors.ts';
import { expandSshAddress } from './sshAddress.ts';

const shorthand = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\/[A-Za-z0-9._-]+$/;

/** What a person types: `owner/repo` is GitHub's, a missing scheme is https, `git@host:path` is ssh. Anything else is left for the rule to refuse. */
export function expandRepositoryAddress(typed: string): string {
  const text = typed.trim();
  if (shorthand.test(text) && !/^[^/]*\.[^/]*\//.test(text)) return `https://github.com/${text.replace(/\.git$/, '')}`;
  if (/^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?\/[^\s]+$/.test(text)) return `https://${text}`;
  return expandSshAddress(text);
}

/** A whole commit id. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/**
 * A branch, a tag or a whole commit id.
 * @throws SpoonError `ref-invalid`
 */
export function checkRef(text: string): string {
  if (isCommit(text)) return text;
  try {
    return checkBranchName(text);
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    throw new SpoonError('ref-invalid', error.detail);
  }
}

const lostCommitAdvice = 'Check for updates.';

/** Of the commit that counts, where the server has rewritten its history. */
export function lostCommit(commit: string): string {
  return `Commit ${commit.slice(0, 12)} is not there any more. ${lostCommitAdvice}`;
}

export function isLostCommit(stages: readonly { readonly detail?: string }[]): boolean {
  return stages.some(({ detail }) => detail?.endsWith(lostCommitAdvice));
}
