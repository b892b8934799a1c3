import type { EngineFacts } from './engine.ts';

/** The part of Docker's `GET /version` and `GET /info` that says how well it can keep boxes apart. */
export interface DockerAnswers {
  readonly version: string;
  readonly runcVersion: string | undefined;
  readonly securityOptions: readonly string[];
  readonly liveRestore: boolean;
  readonly limits: { readonly memory: boolean; readonly swap: boolean; readonly pids: boolean; readonly cpu: boolean };
}

/** What this Docker lacks, each with what to do about it (`security.md` 0.3 and section 3). */
export function dockerFacts(answers: DockerAnswers, separatesUsers: boolean): EngineFacts {
  const { version, runcVersion, securityOptions, liveRestore, limits } = answers;
  const problems: string[] = [];
  if (isOlder(version, '29.5.1')) {
    problems.push(
      `Docker Engine ${version} lets a box write to the host through docker cp (CVE-2026-41567, CVE-2026-41568, CVE-2026-42306; fixed in 29.5.1). Spoon never uses it; do not use it on boxes.`,
    );
  }
  if (runcVersion !== undefined && hasOpenRunc(runcVersion)) {
    problems.push(
      `runc ${runcVersion} has known ways out of a container (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881; fixed in 1.2.8 and 1.3.3), unless your distribution has repaired it.`,
    );
  }
  if (!securityOptions.some((option) => option.includes('name=seccomp'))) {
    problems.push('Docker runs without seccomp: boxes may make every system call. Use a Docker that has it.');
  }
  if (securityOptions.some((option) => /name=seccomp.*profile=unconfined/.test(option))) {
    problems.push("Docker's seccomp profile is switched off. Remove seccomp-profile from its configuration.");
  }
  if (!liveRestore) {
    problems.push('Boxes end when Docker restarts. Set "live-restore": true in /etc/docker/daemon.json.');
  }
  const missing = Object.entries(limits).filter(([, available]) => !available);
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(', ');
    problems.push(`This machine cannot limit the use of ${names}: one box can slow down or end the others.`);
  }
  return {
    version,
    isolation: 'Each box is a container of its own: own user, processes, files and network, one kernel for all.',
    separatesUsers,
    problems,
  };
}

function hasOpenRunc(version: string): boolean {
  return isOlder(version, '1.2.8') || (!isOlder(version, '1.3.0') && isOlder(version, '1.3.3'));
}

/** By the leading numbers; a distribution's suffix (`+dfsg1`) does not count. */
function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => (text.match(/^\d+(\.\d+)*/)?.[0] ?? '0').split('.').map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
