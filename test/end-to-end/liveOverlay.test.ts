import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Box } from '../../protocol/boxes.ts';
import type { Applied, DotfileHistory } from '../../protocol/dotfiles.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

describe('a saved dotfile', () => {
  let side: TestHttpSide;
  let token: string;
  let home: string;
  before(async () => {
    side = await TestHttpSide.start({ saveWaitMs: 500 });
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/tokens', { name: 'x' });
    token = String(body.token);
    home = side.boxes.homeOf('ada');
  });
  after(() => side[Symbol.asyncDispose]());

  const etags = new Map<string, string>();
  async function save(path: string, text: string): Promise<Applied> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/octet-stream',
    };
    const etag = etags.get(path);
    if (etag !== undefined) headers['if-match'] = etag;
    const url = `${side.url}/v1/dotfiles/content?path=${encodeURIComponent(path)}`;
    const response = await fetch(url, { method: 'PUT', headers, body: text });
    const result = (await response.json()) as { dotfile: { etag: string }; applied: Applied };
    assert.equal(response.status, 200, JSON.stringify(result));
    etags.set(path, result.dotfile.etag);
    return result.applied;
  }
  const remove = async (path: string) =>
    (await side.json<{ applied: Applied }>('DELETE', `/v1/dotfiles?path=${path}`, token)).applied;
  const inHome = (path: string) => readFileSync(join(home, path), 'utf8');
  async function until(condition: () => boolean): Promise<void> {
    for (const endMs = performance.now() + 10_000; !condition(); ) {
      assert.ok(performance.now() < endMs, 'in time');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it('waits in Spoon while the box is off, and is there when it has started', async () => {
    assert.deepEqual(await save('.bashrc', 'one'), { state: 'boxOff' });
    await side.json('POST', '/v1/box/start', token);
    assert.equal(inHome('.bashrc'), 'one');
  });

  it('reaches the running box, and leaves it when it is removed', async () => {
    assert.deepEqual(await save('.config/a/b', 'deep'), { state: 'applied' });
    assert.equal(inHome('.config/a/b'), 'deep');
    assert.equal((await remove('.config/a/b')).state, 'applied');
    assert.ok(!existsSync(join(home, '.config/a/b')));
  });

  it('meets a hand edit: both are kept, and the answer says so', async () => {
    await save('.vimrc', 'spoon 1');
    writeFileSync(join(home, '.vimrc'), 'by hand');
    const applied = await save('.vimrc', 'spoon 2');
    assert.equal(applied.state, 'conflict');
    assert.equal(inHome('.vimrc'), 'spoon 2');
    const history = await side.json<DotfileHistory>('GET', '/v1/dotfiles/history?path=.vimrc', token);
    const drift = history.versions.find(({ origin }) => origin === 'drift');
    assert.ok(drift && !drift.current);
    const kept = await side.call('GET', `/v1/dotfiles/content?path=.vimrc&version=${drift.version}`, token);
    assert.equal(await kept.text(), 'by hand');
  });

  it('that was changed by hand is left in the home when it is removed', async () => {
    await save('.mine', 'spoon');
    writeFileSync(join(home, '.mine'), 'by hand');
    assert.equal((await remove('.mine')).state, 'conflict');
    assert.equal(inHome('.mine'), 'by hand');
  });

  it('comes back when the home is checked', async () => {
    await save('.gone', 'here');
    rmSync(join(home, '.gone'));
    const { stages } = await side.json<Box>('POST', '/v1/box/apply', token);
    assert.equal(stages.find(({ name }) => name === 'overlay')?.state, 'ok');
    assert.equal(inHome('.gone'), 'here');
  });

  it('is acknowledged also when the box takes too long, and arrives later', async () => {
    await save('.late', 'before');
    side.boxes.signal(side.ada.id, 'SIGSTOP');
    try {
      const applied = await save('.late', 'after');
      assert.equal(applied.state, 'pending');
      assert.equal(inHome('.late'), 'before');
    } finally {
      side.boxes.signal(side.ada.id, 'SIGCONT');
    }
    await until(() => inHome('.late') === 'after');
  });

  it('arrives in order with a hundred others', async () => {
    const saves = Array.from({ length: 100 }, (_, index) => save(`.many/${index}`, `content ${index}`));
    for (const { state } of await Promise.all(saves)) assert.ok(['applied', 'pending'].includes(state), state);
    await until(() => existsSync(join(home, '.many/99')) && inHome('.many/99') === 'content 99');
    for (let index = 0; index < 100; index++) assert.equal(inHome(`.many/${index}`), `content ${index}`);
  });
});
