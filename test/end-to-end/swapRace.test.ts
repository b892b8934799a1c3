import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SaveResult } from '../../protocol/dotfiles.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

/** Row 21 of the catalogue asks for 20,000 in a campaign: some minutes. */
const saves = Number(process.env.SPOON_TEST_SAVES ?? 100);
/** Each with a file of its own, so that one waits for the service while another is in the home. */
const writers = 8;
const timeout = 120_000 + saves * 100;
const canary = 'untouched';

/** A link that now leads to a folder of the home and now out of it, replaced by rename(2): it is never missing. */
const swapper = `
const { renameSync, symlinkSync } = require('node:fs');
process.stdout.write('swapping');
for (;;) for (const target of ['inside', '../../outside']) { symlinkSync(target, 'next'); renameSync('next', '.config'); }`;

describe('saves while the user of the box turns a link in the home to a folder outside and back (row 21)', {
  timeout,
}, () => {
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

  const untouched = (): void => {
    assert.deepEqual(readdirSync(outside), ['app.conf']);
    assert.equal(readFileSync(join(outside, 'app.conf'), 'utf8'), canary);
  };

  /** @returns how many ended in each state */
  async function saveAgainAndAgain(name: string, times: number): Promise<Map<string, number>> {
    const path = `.config/${name}`;
    const states = new Map<string, number>();
    let etag: string | undefined;
    for (let save = 1; save <= times; save++) {
      const response = await fetch(`${side.url}/v1/dotfiles/content?path=${path}`, {
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
      untouched();
    }
    const stored = await side.call('GET', `/v1/dotfiles/content?path=${path}`, token);
    assert.equal(await stored.text(), `save ${times}`);
    return states;
  }

  it('apply or are refused by name, are stored every time, and never land outside', { timeout }, async (test) => {
    const startedMs = performance.now();
    // The name that the folder outside has too, and others that would show there.
    const names = ['app.conf', ...Array.from({ length: writers - 1 }, (_, index) => `app${index}.conf`)];
    const counts = await Promise.all(names.map((name) => saveAgainAndAgain(name, Math.ceil(saves / writers))));
    const states: Record<string, number> = {};
    for (const count of counts) for (const [state, times] of count) states[state] = (states[state] ?? 0) + times;
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    test.diagnostic(`${writers * Math.ceil(saves / writers)} saves in ${seconds} s: ${JSON.stringify(states)}`);
    assert.deepEqual(
      Object.keys(states).filter((state) => !['applied', 'refused'].includes(state)),
      [],
    );
    assert.ok((states.applied ?? 0) > 0, JSON.stringify(states));
    untouched();
  });
});
