import { loginEnvironment } from '../processes/loginEnvironment.ts';
import type { Settings } from '../settings.ts';

/**
 * How git is kept in bounds (security.md section 3, decision 13). As arguments, so that nothing in a repository or in the
 * home can undo it; argv only, never a shell.
 */
export const guardedConfiguration = [
  'protocol.allow=never',
  'protocol.https.allow=always',
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.protectNTFS=true',
  'core.protectHFS=true',
  'core.askPass=',
  'credential.helper=',
  'transfer.fsckObjects=true',
  'fetch.fsck.zeroPaddedFilemode=ignore',
  'fetch.fsck.missingSpaceBeforeDate=ignore',
  'transfer.bundleURI=false',
  'http.followRedirects=false',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=20',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
] as const;

export const localConfiguration = [
  'protocol.allow=never',
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'gc.auto=0',
  'maintenance.auto=false',
] as const;

/** No prompt, no pager, no helper, English messages; the person's own configuration only where nothing foreign is at work. */
export function gitEnvironment(
  settings: Settings,
  trust: 'guarded' | 'local',
  caBundle: string | undefined,
): Record<string, string> {
  return {
    ...loginEnvironment(settings, { shell: settings.shell, extra: {}, marker: {} }),
    LC_ALL: 'C',
    GIT_ALLOW_PROTOCOL: trust === 'guarded' ? 'https' : 'none',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_PAGER: 'cat',
    GIT_EDITOR: '/bin/false',
    ...(trust === 'guarded' ? { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' } : {}),
    ...(caBundle === undefined ? {} : { GIT_SSL_CAINFO: caBundle }),
  };
}
