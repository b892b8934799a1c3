import { SpoonError } from '../../protocol/errors.ts';
import type { RepositorySettings, SetRepositoryRequest } from '../../protocol/repository.ts';
import { checkRef, expandRepositoryAddress } from '../../protocol/repositoryAddress.ts';
import { credentialHost } from '../../protocol/repositoryCredential.ts';
import { checkSetupPath } from '../../protocol/setupScript.ts';
import { checkDotfilesAddress } from '../../protocol/sshAddress.ts';
import { noRepository, type StoredRepository } from './repositoryRecords.ts';

/** @throws SpoonError `url-…`, `ref-invalid`, `setup-path-invalid` */
export function readSettings(request: SetRepositoryRequest, gitHosts: readonly string[]): RepositorySettings {
  const { url, ref, setup, manager = null, always = false, enabled = true, submodules, lfs } = request;
  return {
    url: checkDotfilesAddress(expandRepositoryAddress(url), gitHosts),
    ref: ref === undefined || ref === null || ref === '' ? null : checkRef(ref),
    setup: setup === undefined || setup === null || setup === '' ? null : checkSetupPath(setup),
    manager,
    always,
    enabled,
    ...(submodules && { submodules }),
    ...(lfs && { lfs }),
  };
}

/** What is kept once these settings count: a commit belongs to one address and ref, a credential to one host. @param agreed a commit */
export function withSettings(
  before: StoredRepository | undefined,
  settings: RepositorySettings,
  agreed?: string,
): StoredRepository {
  const isSame = before?.settings?.url === settings.url && before.settings.ref === settings.ref;
  const credential = before?.credential;
  const isMeant = credential?.host === credentialHost(settings.url);
  const after = { settings, ...(before?.off && { off: before.off }) };
  return {
    ...after,
    restore: !isApplied(after) && (isApplied(before) || (before?.restore ?? false)),
    commit: agreed ?? (isSame ? before.commit : null),
    available: isSame && before.available !== agreed ? before.available : null,
    checkedMs: isSame ? before.checkedMs : null,
    ...(before?.generations && { generations: before.generations }),
    ...(isMeant && credential !== undefined && { credential }),
  };
}

/**
 * Takes what was found, where something was.
 * @param commit this one or none
 * @throws SpoonError `repository-updated` where it is no longer what is offered
 */
export function withUpdate(before: StoredRepository | undefined, commit?: string): StoredRepository | undefined {
  const offered = before?.available ?? before?.commit;
  if (commit !== undefined && offered !== commit) throw new SpoonError('repository-updated');
  return before?.available == null ? before : { ...before, commit: before.available, available: null };
}

/** Whether the home is to have what the repository makes. */
export function isApplied(stored: Pick<StoredRepository, 'settings' | 'off'> | undefined): boolean {
  return stored?.off === undefined && stored?.settings?.enabled === true;
}

export function dotfilesOff(): SpoonError {
  const how = 'Turn them on first: spoonctl dotfiles on, or Turn Dotfiles On in VS Code.';
  return new SpoonError('dotfiles-off', how);
}

/** @throws SpoonError `repository-none`, `repository-off`, `dotfiles-off` */
export function requireApplied({ settings, off } = noRepository): RepositorySettings {
  if (settings === null) throw new SpoonError('repository-none', 'Choose one first: spoonctl dotfiles repo set.');
  if (off !== undefined) throw dotfilesOff();
  if (!settings.enabled) throw new SpoonError('repository-off', 'Switch it on first.');
  return settings;
}

/** What is kept of one that is forgotten. */
export function withoutRepository({ off }: StoredRepository): StoredRepository {
  return { ...noRepository, restore: true, ...(off && { off }) };
}

/** @param found what the ref points to now */
export function withFound(before: StoredRepository, found: string, now: number): StoredRepository {
  const isTaken = before.commit === null || before.settings?.always === true;
  return {
    ...before,
    commit: isTaken ? found : before.commit,
    available: isTaken || found === before.commit ? null : found,
    checkedMs: now,
  };
}
