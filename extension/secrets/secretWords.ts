import type { Secret, SecretScope } from '../../protocol/secrets.ts';
import type { Terminal } from '../../protocol/terminals.ts';

/** What the view and the questions say about secrets. No VS Code in here. */

export const scopes: readonly SecretScope[] = ['shells', 'setup', 'jobs'];

export const scopeWords: Readonly<Record<SecretScope, { readonly label: string; readonly detail: string }>> = {
  shells: { label: 'Shells', detail: 'Terminals and spoonctl exec, from the next one on' },
  setup: { label: 'Setup', detail: 'The setup script of your dotfiles repository, at its next run' },
  jobs: { label: 'Jobs', detail: 'Agents that work in a thread' },
};

/** `shells and jobs of api` */
export function placeInWords({ scopes: where, spoon }: Pick<Secret, 'scopes' | 'spoon'>): string {
  const known = scopes.filter((scope) => where.includes(scope));
  const last = known.at(-1) ?? '';
  const list = known.length > 1 ? `${known.slice(0, -1).join(', ')} and ${last}` : last;
  return spoon === null ? list : `${list} of ${spoon}`;
}

/** Open shells that started before the secret was what it is: they hold an older value, or none. */
export function olderShells(secret: Secret, terminals: readonly Terminal[]): Terminal[] {
  if (!secret.scopes.includes('shells')) return [];
  return terminals.filter(
    ({ createdMs, thread }) =>
      createdMs < secret.updatedMs && (secret.spoon === null || thread?.startsWith(`${secret.spoon}/`) === true),
  );
}

export function shellsInWords(count: number): string {
  return count === 1 ? '1 open shell is older' : `${count} open shells are older`;
}
