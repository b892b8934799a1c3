import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isIgnored } from '../../protocol/ignoredFiles.ts';
import { dotfilesSets, expectedInHome, listing } from '../fixtures/dotfilesSets.fixture.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { PersonsMachine } from '../fixtures/spoonctl.fixture.ts';

describe('three sets of dotfiles as people have them', { timeout: 120_000 }, () => {
  let side: TestHttpSide;
  let machine: PersonsMachine;
  let token: string;
  before(async () => {
    side = await TestHttpSide.start();
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/tokens', { name: 'x' });
    machine = await PersonsMachine.create();
    token = String(body.token);
    machine.env = { SPOON_URL: side.url, SPOON_TOKEN: token };
    assert.equal((await machine.run(['box', 'start'])).code, 0);
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await side[Symbol.asyncDispose]();
  });

  for (const { name, make } of dotfilesSets) {
    it(`${name} is in the home byte for byte and mode for mode`, async () => {
      const folder = join(machine.homeDir, name);
      const count = make(folder);
      const { code, stdout, stderr } = await machine.run(['dotfiles', 'import', name, '--replace', '--json']);
      assert.equal(code, 0, stderr);
      const { saved, refused } = JSON.parse(stdout.toString());
      assert.deepEqual([saved, refused], [count, []]);

      const home = side.boxes.homeOf('ada');
      const wanted = expectedInHome(folder, '', { leavesOut: isIgnored, absolute: 'kept' });
      assert.equal(wanted.size, count);
      const inHome = listing(home);
      for (const [path, facts] of wanted) assert.equal(inHome.get(path), facts, path);

      const exported = await machine.run(['dotfiles', 'export', 'all.tar']);
      assert.equal(exported.code, 0, exported.stderr);
      const { dotfiles } = await side.json<{ dotfiles: { path: string }[] }>('GET', '/v1/dotfiles', token);
      for (const top of new Set(dotfiles.map(({ path }) => path.split('/')[0] ?? ''))) {
        await side.json('DELETE', `/v1/dotfiles?recursive=true&path=${encodeURIComponent(top)}`, token);
      }
      const removed = listing(home);
      assert.ok([...wanted.keys()].every((path) => !removed.has(path)));
      const again = await machine.run(['dotfiles', 'import', 'all.tar', '--replace']);
      assert.equal(again.code, 0, again.stderr);
      const after = listing(home);
      for (const path of wanted.keys()) assert.equal(after.get(path), inHome.get(path), path);
      await rm(folder, { recursive: true });
    });
  }
});
