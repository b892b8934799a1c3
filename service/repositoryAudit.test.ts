import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StageReport } from '../protocol/boxes.ts';
import type { RepositoryRun } from '../protocol/repository.ts';
import type { AuditTrail } from './auditTrail.ts';
import { noteCheckout, noteRun } from './repositoryAudit.ts';

const commit = 'c'.repeat(40);
const stage = (name: StageReport['name'], changes: Partial<StageReport> = {}): StageReport => ({
  ...{ name, state: 'ok', startedMs: 1, durationMs: 12.5 },
  ...changes,
});
const runOf = (...stages: StageReport[]): RepositoryRun => ({
  ...{
    state: 'ok',
    startedMs: 1,
    endedMs: 2,
    commit,
    script: 'secret/path.sh',
    stages,
    notes: ['canary'],
    manager: null,
  },
});

describe('what is written down of repositories', () => {
  const noted = (work: (trail: AuditTrail) => void) => {
    const events: unknown[] = [];
    const besideOf: AuditTrail['besideOf'] = (_userId, { event, result, object, details }) =>
      void events.push({ event, result, object, details });
    work({ besideOf } as AuditTrail);
    return events;
  };

  it('is address and commit of a clone, and the exit code of a setup; no path, and nothing that was printed', () => {
    const run = runOf(
      stage('repository'),
      stage('setup', { state: 'failed', exitCode: 3, detail: 'canary' }),
      stage('overlay'),
    );
    const events = noted((trail) => noteRun(trail, 'u', { url: 'https://git.example/a/b', run }));
    const times = { durationMs: 13 };
    assert.deepEqual(events, [
      {
        ...{ event: 'repository.clone', result: 'done', object: null },
        details: { url: 'https://git.example/a/b', commit, ...times, state: 'ok' },
      },
      {
        ...{ event: 'setup.run', result: 'refused', object: null },
        details: { commit, exitCode: 3, ...times, state: 'failed' },
      },
    ]);
  });

  it('is no commit that is none: a box says what it likes', () => {
    for (const wrong of ['canary', `${commit}\n`, 'C'.repeat(40), commit.slice(1), '']) {
      const run = { ...runOf(stage('repository')), commit: wrong };
      const events = noted((trail) => noteRun(trail, 'u', { url: 'https://git.example/a', run }));
      events.push(
        ...noted((trail) => noteCheckout(trail, 'u', { threadId: 't', url: 'https://git.example/a', commit: wrong })),
      );
      assert.ok(events.length === 2 && events.every((each) => !JSON.stringify(each).includes('"commit"')), wrong);
    }
    const sha256 = 'd'.repeat(64);
    const events = noted((trail) =>
      noteCheckout(trail, 'u', { threadId: 't', url: 'https://git.example/a', commit: sha256 }),
    );
    assert.ok(JSON.stringify(events).includes(sha256));
  });

  for (const [url, shown] of [
    ['https://user:token@git.example/a', 'https://git.example/a'],
    ['https://token@git.example/a?token=x#y', 'https://git.example/a'],
    ['ssh://git@git.example/a', 'ssh://git.example/a'],
    ['https://git.example/a@b', 'https://git.example/a@b'],
  ] as const) {
    it(`has ${url} as ${shown}`, () => {
      const events = noted((trail) => noteCheckout(trail, 'u', { threadId: 't', url, commit }));
      assert.deepEqual(events, [
        { event: 'thread.clone', result: 'done', object: 't', details: { url: shown, commit } },
      ]);
    });
  }
});
