import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorTable } from '../../protocol/errors.ts';
import type { RepositoryRun, RepositoryState } from '../../protocol/repository.ts';
import { lostCommit } from '../../protocol/repositoryAddress.ts';
import { details, failureNotice, isEarlier, remedies, repositoryName, summary } from './repositoryText.ts';

const now = 1_000_000_000_000;
const run = (more: Partial<RepositoryRun>): RepositoryRun => ({
  state: 'ok',
  startedMs: now - 182_100,
  endedMs: now - 180_000,
  commit: 'a'.repeat(40),
  script: 'install.sh',
  stages: [{ name: 'repository', state: 'ok', startedMs: now, durationMs: 400 }],
  notes: [],
  manager: null,
  ...more,
});
const state = (last: RepositoryRun | null, more: Partial<RepositoryState> = {}): RepositoryState => ({
  settings: {
    url: 'https://github.com/ada/dotfiles',
    ref: null,
    setup: null,
    manager: null,
    always: false,
    enabled: true,
  },
  commit: 'a'.repeat(40),
  available: null,
  checkedMs: null,
  run: last,
  ...more,
});
const setup = { name: 'setup', startedMs: now, durationMs: 2_000 } as const;

describe('the row of the dotfiles repository', () => {
  const cases: [string, RepositoryState][] = [
    ['set up when your box starts', state(null)],
    ['set up in 2.1 s · 3 minutes ago', state(run({}))],
    ['update available · 3 minutes ago', state(run({}), { available: 'b'.repeat(40) })],
    ['fetching…', state(run({ state: 'running', endedMs: null }))],
    ['running its setup…', state(run({ state: 'running', endedMs: null, stages: [{ ...setup, state: 'running' }] }))],
    [
      'setup failed (exit 3) · 3 minutes ago',
      state(run({ state: 'failed', stages: [{ ...setup, state: 'failed', exitCode: 3 }] })),
    ],
    [
      'not fetched · 3 minutes ago',
      state(run({ state: 'failed', stages: [{ ...setup, name: 'repository', state: 'failed' }] })),
    ],
    ['cancelled · 3 minutes ago', state(run({ state: 'cancelled' }))],
  ];
  for (const [text, of] of cases) it(text, () => assert.equal(summary(of, now), text));

  it('names the repository as people do', () => {
    assert.equal(repositoryName('https://github.com/ada/dotfiles.git'), 'ada/dotfiles');
    assert.equal(repositoryName('https://git.example.org/ada/dots'), 'ada/dots');
  });

  it('says what happened, what is fine, and every stage', () => {
    const failed = run({
      state: 'failed',
      stages: [{ ...setup, state: 'failed', exitCode: 3, detail: 'It ended with exit code 3.' }],
    });
    assert.match(failureNotice(failed), /setup .* failed\. It ended with exit code 3\. Terminals open as before/);
    assert.ok(details(state(failed)).includes('setup: failed in 2.0 s, exit code 3. It ended with exit code 3.'));
  });

  it('offers first what helps', () => {
    const first = (name: 'repository' | 'setup', detail: string, exitCode?: number) => {
      const failed = { ...setup, name, state: 'failed', detail, ...(exitCode !== undefined && { exitCode }) } as const;
      return remedies(run({ state: 'failed', stages: [failed] }))[0];
    };
    const { title } = errorTable['repository-unavailable'];
    assert.equal(first('repository', `${title} Could not connect to its server.`), 'retry');
    assert.equal(first('repository', errorTable['repository-private'].title), 'access');
    assert.equal(first('repository', errorTable['repository-moved'].title), 'configure');
    assert.equal(first('repository', errorTable['ref-missing'].title), 'configure');
    assert.equal(first('repository', lostCommit('a'.repeat(40))), 'check');
    assert.equal(first('setup', 'script/none is not in the repository. Nothing was run.'), 'configure');
    assert.equal(first('setup', 'install.sh has Windows line endings (CRLF). Nothing was run.'), 'check');
    assert.equal(first('setup', 'It ended with exit code 3. Its log says more.', 3), 'log');
  });

  it('is not set back by an answer that an event overtook', () => {
    const running = run({ state: 'running', endedMs: null });
    assert.equal(isEarlier(running, run({})), true);
    assert.equal(isEarlier(run({}), running), false);
    assert.equal(isEarlier(run({}), run({ startedMs: now })), true);
    assert.equal(isEarlier(run({}), run({})), false);
  });
});
