import type { RepositorySettings, SetRepositoryRequest } from '../../protocol/repository.ts';
import { checkRef, expandRepositoryAddress } from '../../protocol/repositoryAddress.ts';
import { credentialHost } from '../../protocol/repositoryCredential.ts';
import { checkSetupPath } from '../../protocol/setupScript.ts';
import { checkDotfilesAddress } from '../../protocol/sshAddress.ts';
import type { StoredRepository } from './repositoryRecords.ts';

/** @throws SpoonError `url-…`, `ref-invalid`, `setup-path-invalid` */
export function readSettings(request: SetRepositoryRequest, gitHosts: readonly string[]): RepositorySettings {
  const { url, ref, setup, manager = null, always = false, enabled = true } = request;
  return {
    url: checkDotfilesAddress(expandRepositoryAddress(url), gitHosts),
    ref: ref === undefined || ref === null || ref === '' ? null : checkRef(ref),
    setup: setup === undefined || setup === null || setup === '' ? null : checkSetupPath(setup),
    manager,
    always,
    enabled,
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
  const wasOn = before?.settings?.enabled ?? false;
  return {
    settings,
    restore: settings.enabled ? false : wasOn || (before?.restore ?? false),
    commit: agreed ?? (isSame ? before.commit : null),
    available: isSame && before.available !== agreed ? before.available : null,
    checkedMs: isSame ? before.checkedMs : null,
    ...(before?.generations && { generations: before.generations }),
    ...(isMeant && credential !== undefined && { credential }),
  };
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
