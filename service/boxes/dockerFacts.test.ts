import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DockerAnswers, dockerFacts } from './dockerFacts.ts';

const sound: DockerAnswers = {
  version: '29.5.1',
  runcVersion: '1.3.3',
  securityOptions: ['name=apparmor', 'name=seccomp,profile=builtin'],
  liveRestore: true,
  limits: { memory: true, swap: true, pids: true, cpu: true },
};
const problems = (change: Partial<DockerAnswers>) => dockerFacts({ ...sound, ...change }, true).problems;
const standing = problems({}).length;

describe('what is said about a Docker', () => {
  const cases: [string, Partial<DockerAnswers>, RegExp][] = [
    ["Debian's old engine", { version: '20.10.24+dfsg1' }, /CVE-2026-41567/],
    ['the last one with the hole', { version: '29.5.0' }, /29\.5\.1/],
    ["Debian's old runc", { runcVersion: '1.1.5+ds1' }, /CVE-2025-31133/],
    ['a runc 1.3 before its repair', { runcVersion: '1.3.2' }, /CVE-2025-52881/],
    ['no seccomp', { securityOptions: [] }, /without seccomp/],
    ['seccomp switched off', { securityOptions: ['name=seccomp,profile=unconfined'] }, /switched off/],
    ['no live-restore', { liveRestore: false }, /"live-restore": true/],
    ['a kernel without limits', { limits: { ...sound.limits, swap: false, pids: false } }, /swap, pids/],
  ];
  for (const [name, change, expected] of cases) {
    it(`names ${name}`, () => {
      const found = problems(change);
      assert.equal(found.length, standing + 1);
      assert.ok(
        found.some((problem) => expected.test(problem)),
        found.join('\n'),
      );
    });
  }

  for (const change of [
    { version: '30.0.0' },
    { runcVersion: '1.2.8' },
    { runcVersion: '1.4.0' },
    { runcVersion: undefined },
  ]) {
    it(`finds nothing new in ${JSON.stringify(change)}`, () => assert.equal(problems(change).length, standing));
  }
});
