import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { importedFileMode } from '../../protocol/fileMode.ts';
import { isIgnored } from '../../protocol/ignoredFiles.ts';
import { dotfilesSets } from '../fixtures/dotfilesSets.fixture.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { PersonsMachine } from '../fixtures/spoonctl.fixture.ts';

/** Everything below a folder: kind, mode and content, by path. */
function listing(root: string, below = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(join(root, below)).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const place = join(root, path);
    const info = lstatSync(place);
    if (info.isDirectory()) for (const [inner, facts] of listing(root, path)) found.set(inner, facts);
    else if (info.isSymbolicLink()) found.set(path, `link ${readlinkSync(place)}`);
    else {
      const hash = createHash('sha256').update(readFileSync(place)).digest('hex');
      found.set(path, `${(info.mode & 0o777).toString(8)} ${info.size} ${hash}`);
    }
  }
  return found;
}

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
      const wanted = [...listing(folder)].filter(([path]) => !isIgnored(path));
      assert.equal(wanted.length, count);
      const inHome = listing(home);
      for (const [path, facts] of wanted) {
        const [mode = '', ...content] = facts.split(' ');
        const isLink = mode === 'link';
        // A key that the disk showed to others is the one difference, and is meant.
        const expected = isLink
          ? facts
          : [
              importedFileMode(path, readFileSync(join(folder, path)), Number.parseInt(mode, 8)).toString(8),
              ...content,
            ].join(' ');
        assert.equal(inHome.get(path), expected, path);
      }

      const exported = await machine.run(['dotfiles', 'export', 'all.tar']);
      assert.equal(exported.code, 0, exported.stderr);
      const { dotfiles } = await side.json<{ dotfiles: { path: string }[] }>('GET', '/v1/dotfiles', token);
      for (const top of new Set(dotfiles.map(({ path }) => path.split('/')[0] ?? ''))) {
        await side.json('DELETE', `/v1/dotfiles?recursive=true&path=${encodeURIComponent(top)}`, token);
      }
      assert.ok(wanted.every(([path]) => !listing(home).has(path)));
      const again = await machine.run(['dotfiles', 'import', 'all.tar', '--replace']);
      assert.equal(again.code, 0, again.stderr);
      const after = listing(home);
      for (const [path] of wanted) assert.equal(after.get(path), inHome.get(path), path);
      await rm(folder, { recursive: true });
    });
  }
});
