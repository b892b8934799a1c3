import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { publishTree, type TestTree } from '../../boxd/testing/publishTree.ts';
import type { RepositoryGenerations, RepositoryPreview, RepositoryState } from '../../protocol/repository.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { type Layout, layouts } from './layouts.fixture.ts';

/** Everything of the home but Spoon's own and the checkout, one line for each file: mode or target, and its one line of text. */
const listHome = `find . \\( -path ./.spoon -o -path ./.dotfiles -o -path ./Code -o -path ./.local -o -path ./.bash_profile \\) -prune \
-o \\( -type f -o -type l \\) -print | LC_ALL=C sort | while read -r f; do
if [ -L "$f" ]; then echo "$f -> $(readlink "$f") = $(cat "$f" 2>&1)"; else echo "$f $(stat -c %a "$f") = $(cat "$f")"; fi; done`;

describe('a popular layout', () => {
  let git: GitServer;
  let service: RunningService;
  before(async () => {
    git = await GitServer.start();
    const ca = join(git.folder, 'ca.pem');
    writeFileSync(ca, git.ca);
    const environment = { SPOON_GIT_HOSTS: git.host, SPOON_CA_FILE: ca };
    service = await RunningService.start({ engine: 'process', environment });
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await git[Symbol.asyncDispose]();
  });

  const json = async <T>(user: TestUser, ...args: string[]): Promise<T> => {
    const done = await service.spoonctl(user, ['dotfiles', 'repo', ...args, '--json']);
    assert.equal(done.code, 0, `${args.join(' ')}: ${done.stdout}${done.stderr}`);
    return JSON.parse(done.stdout) as T;
  };
  const home = (user: TestUser) => service.inBox(user, 'sh', '-c', listHome);
  const publish = (name: string, tree: TestTree) => publishTree(git, name, tree);

  for (const layout of layouts) {
    it(`${layout.name}: applies, updates on a new commit, and rolls back, file by file`, async () => {
      await walk(layout);
    });
  }

  async function walk({ name, manager, prepare, first, second, before: had, after: has, updated, gone }: Layout) {
    const user = await service.addUser(name);
    await service.inBox(user, 'sh', '-c', prepare);
    const atStart = await home(user);
    assert.equal(atStart, had.join('\n'));
    const one = publish(name, first);
    const args = manager === undefined ? [] : ['--manager', manager];
    const set = await json<RepositoryState>(user, 'set', one.url, ...args);
    assert.deepEqual([set.run?.state, set.commit], ['ok', one.commit], JSON.stringify(set.run));
    assert.equal(await home(user), has.join('\n'), 'applied');

    const two = publish(name, second);
    const planned = await json<RepositoryPreview>(user, 'preview', '--update');
    assert.deepEqual([planned.before, planned.commit, planned.wouldRun], [one.commit, two.commit, true]);
    assert.match(planned.diff?.text ?? '', /^diff --git a\//);
    assert.equal(await home(user), has.join('\n'), 'a preview changes nothing');
    await json(user, 'update');
    assert.equal(await home(user), updated.join('\n'), 'updated');

    const { generations, current } = await json<RepositoryGenerations>(user, 'generations');
    assert.deepEqual(
      [current, generations.map(({ number, commit }) => [number, commit])],
      [
        2,
        [
          [2, two.commit],
          [1, one.commit],
        ],
      ],
    );
    const back = await json<RepositoryState>(user, 'rollback', '1');
    assert.deepEqual([back.run?.state, back.commit, back.available], ['ok', one.commit, two.commit]);
    assert.equal(await home(user), gone.toFirst.join('\n'), 'back at the first generation');
    assert.equal(await service.inBox(user, 'git', '-C', '.dotfiles', 'rev-parse', 'HEAD'), one.commit);
    await json(user, 'rollback', '2');
    assert.equal(await home(user), updated.join('\n'), 'and forth again');
    await json(user, 'rollback', '0');
    assert.equal(await home(user), gone.toNone.join('\n'), 'as before any');
    assert.equal((await json<RepositoryState>(user, 'show')).settings?.enabled, false);
  }
});
