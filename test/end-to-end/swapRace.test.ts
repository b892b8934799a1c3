import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SaveResult } from '../../protocol/dotfiles.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

/** Row 21 of the catalogue asks for 20,000 in a campaign. */
const saves = Number(process.env.SPOON_TEST_SAVES ?? 100);
const canary = 'untouched';

/** A link that now leads to a folder of the home and now out of it, replaced by rename(2): it is never missing. */
const swapper = `
const { renameSync, symlinkSync } = require('node:fs');
process.stdout.write('swapping');
for (;;) for (const target of ['inside', '../../outside']) { symlinkSync(target, 'next'); renameSync('next', '.config'); }`;

describe('saves while the user of the box turns a link in the home to a folder outside and back (row 21)', () => {
  let side: TestHttpSide;
  let token: string;
  let outside: string;
  let swapping: ReturnType<typeof spawn>;
  before(async () => {
    side = await TestHttpSide.start();
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/tokens', { name: 'x' });
    token = String(body.token);
    await side.json('POST', '/v1/box/start', token);
    const home = side.boxes.homeOf('ada');
    // Beside the homes, as another user's would be.
    outside = join(home, '../../outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'app.conf'), canary);
    mkdirSync(join(home, 'inside'));
    swapping = spawn(process.execPath, ['-e', swapper], { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
    assert.ok(swapping.stdout);
    await once(swapping.stdout, 'data');
  });
  after(async () => {
    const { exitCode } = swapping;
    if (exitCode === null) {
      swapping.kill('SIGKILL');
      await once(swapping, 'exit');
    }
    await side[Symbol.asyncDispose]();
    assert.equal(exitCode, null, 'the swapping ended early');
  });

  it('apply or are refused by name, are stored every time, and never land outside', async () => {
    const states = new Map<string, number>();
    let etag: string | undefined;
    for (let save = 1; save <= saves; save++) {
      const response = await fetch(`${side.url}/v1/dotfiles/content?path=.config/app.conf`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/octet-stream',
          ...(etag === undefined ? {} : { 'if-match': etag }),
        },
        body: `save ${save}`,
      });
      assert.equal(response.status, 200);
      const { dotfile, applied } = (await response.json()) as SaveResult;
      etag = dotfile.etag;
      states.set(applied.state, (states.get(applied.state) ?? 0) + 1);
      if (applied.state === 'refused') assert.match(applied.detail ?? '', /as it was\.$/);
      assert.deepEqual(readdirSync(outside), ['app.conf']);
      assert.equal(readFileSync(join(outside, 'app.conf'), 'utf8'), canary);
    }
    const allowed = ['applied', 'refused'];
    assert.ok(
      [...states.keys()].every((state) => allowed.includes(state)),
      JSON.stringify([...states]),
    );
    assert.ok(states.has('applied'), JSON.stringify([...states]));
    const stored = await side.call('GET', '/v1/dotfiles/content?path=.config/app.conf', token);
    assert.equal(await stored.text(), `save ${saves}`);
  });
});
