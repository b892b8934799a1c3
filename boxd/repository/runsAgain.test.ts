import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import { TestRepository } from './testRepository.fixture.ts';

/** Design section 6: the setup runs when one of its inputs is another, once, and at no other time. */
describe('the setup runs again', () => {
  let at: TestRepository;
  before(async () => {
    at = await TestRepository.start();
  });
  after(() => at[Symbol.asyncDispose]());

  const script = 'echo x >> ~/count';
  const count = () => (existsSync(at.home('count')) ? readFileSync(at.home('count'), 'utf8').length / 2 : 0);
  /** What a start of the box asks for, three times. @returns how often the setup ran */
  const starts = async (name: string, of: Partial<StartRepositoryRun>): Promise<number> => {
    const ran = count();
    for (let start = 0; start < 3; start++) {
      const state = await at.post('run', at.request(name, of));
      if (!state.upToDate) await at.watch(state);
    }
    return count() - ran;
  };

  it('once for each single input that changes', async () => {
    const tree = { 'install.sh': script, 'other.sh': script };
    const first = at.publish('inputs', tree);
    const second = at.publish('inputs', { ...tree, note: 'x' });
    const twin = at.publish('twin', { ...tree, note: 'x' });
    const of: Partial<StartRepositoryRun> = { commit: first };
    assert.equal(await starts('inputs', of), 1, 'the first time');
    assert.equal(await starts('inputs', of), 0, 'nothing changed');
    assert.equal(await starts('inputs', { commit: second }), 1, 'the commit');
    assert.equal(await starts('inputs', { commit: second, setup: 'other.sh' }), 1, 'the path of the script');
    assert.equal(await starts('inputs', { commit: second, setup: 'other.sh', image: 'image:2' }), 1, 'the image');
    assert.equal(await starts('twin', { commit: twin, setup: 'other.sh', image: 'image:2' }), 1, 'the address');
    assert.equal(
      await starts('inputs', { commit: second, manager: 'bare-git' }),
      0,
      'a manager in place of the script',
    );
    assert.equal(await starts('inputs', { commit: second }), 1, 'and the script again');
    writeFileSync(at.home('.dotfiles/install.sh'), `${script}; true\n`);
    assert.equal(await starts('inputs', { commit: second }), 1, 'an edit of the script, which the checkout takes back');
    assert.equal(readFileSync(at.home('.dotfiles/install.sh'), 'utf8'), script);
  });

  it('at each start for as long as it fails', async () => {
    const commit = at.publish('fails', { 'install.sh': `${script}; [ -e ~/repaired ]` });
    assert.equal(await starts('fails', { commit }), 3);
    assert.ok(!existsSync(at.home('.spoon/env-hash')));
    writeFileSync(at.home('repaired'), '');
    assert.equal(await starts('fails', { commit }), 1);
  });

  it('for another time limit, secret or credential not at all', async () => {
    const commit = at.publish('calm', { 'install.sh': script });
    assert.equal(await starts('calm', { commit }), 1);
    const credential = { kind: 'token', host: at.server.host, username: 'git', token: 'not-needed' } as const;
    assert.equal(await starts('calm', { commit, setupMs: 19_000, environment: { A: 'b' }, credential }), 0);
  });
});
