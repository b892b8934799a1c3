import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Check } from 'typebox/value';
import {
  type Dotfile,
  type DotfileDrift,
  type DotfileHistory,
  DriftList,
  type RestoredDrift,
  type TakenDrift,
} from '../../protocol/dotfiles.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

type DriftEvent = Extract<SpoonEvent, { type: 'dotfile.drift' }>;

describe('a hand edit in the home', () => {
  let side: TestHttpSide;
  let token: string;
  let home: string;
  const events: DriftEvent[] = [];
  const heard = new Set<() => void>();
  before(async () => {
    side = await TestHttpSide.start();
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/tokens', { name: 'x' });
    token = String(body.token);
    home = side.boxes.homeOf('ada');
    await side.json('POST', '/v1/box/start', token);
    const { ticket } = await side.json<{ ticket: string }>('POST', '/v1/tickets', token, { kind: 'events' });
    const socket = side.socket('/v1/events', ticket);
    socket.on('message', (data) => {
      const event = JSON.parse(String(data)) as SpoonEvent;
      if (event.type !== 'dotfile.drift') return;
      events.push(event);
      for (const hear of heard) hear();
    });
    await new Promise((resolve) => socket.once('open', resolve));
  });
  after(() => side[Symbol.asyncDispose]());

  async function save(path: string, text: string, etag?: string): Promise<Dotfile> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/octet-stream',
      ...(etag === undefined ? {} : { 'if-match': etag }),
    };
    const url = `${side.url}/v1/dotfiles/content?path=${encodeURIComponent(path)}`;
    const response = await fetch(url, { method: 'PUT', headers, body: text });
    assert.equal(response.status, 200);
    return ((await response.json()) as { dotfile: Dotfile }).dotfile;
  }
  const at = (path: string) => join(home, path);
  const post = <T>(path: string, body: object) => side.json<T>('POST', `/v1/dotfiles/${path}`, token, body);
  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;
  async function listed(path: string): Promise<DotfileDrift | undefined> {
    const list: unknown = await side.json('GET', '/v1/dotfiles/drift', token);
    assert(Check(DriftList, list));
    return list.drifts.find((drift) => drift.path === path);
  }
  /** Waits for the news of it, and then asks for the list, which must say the same. */
  async function until(path: string, state: string | undefined): Promise<DotfileDrift | undefined> {
    const holds = async () => (await listed(path))?.state === state;
    while (!(await holds())) {
      const count = events.length;
      await new Promise<void>((resolve) => {
        if (events.length > count) return resolve();
        const hear = () => {
          heard.delete(hear);
          resolve();
        };
        heard.add(hear);
        // Also looks again by itself: the list may have changed between the look and the listening.
        setTimeout(hear, 200);
      });
    }
    return listed(path);
  }
  const current = async (path: string) => (await side.call('GET', `/v1/dotfiles/content?path=${path}`, token)).text();

  it('is told within a second, compared, and taken into the overlay', async () => {
    const dotfile = await save('.bashrc', 'one');
    await until('.bashrc', undefined);
    assert.equal((await side.json<DriftList>('GET', '/v1/dotfiles/drift', token)).watching, true);
    events.length = 0;
    const start = performance.now();
    writeFileSync(at('.bashrc'), 'by hand');
    const drift = await until('.bashrc', 'modified');
    assert.ok(performance.now() - start < 1_000, `${performance.now() - start} ms`);
    assert.deepEqual([drift?.id, drift?.baseVersion, drift?.home?.size], [dotfile.id, 1, 7]);
    assert.ok(events.some(({ drifts }) => drifts.some(({ path }) => path === '.bashrc')));

    const inHome = await side.call('GET', '/v1/dotfiles/home?path=.bashrc', token);
    assert.equal(await inHome.text(), 'by hand');
    assert.equal(inHome.headers.get('spoon-mode'), '644');

    const taken = await post<TakenDrift>('drift/take', { path: '.bashrc' });
    assert.deepEqual([taken.dotfile?.version, taken.applied.state], [2, 'applied']);
    assert.equal(await current('.bashrc'), 'by hand');
    await until('.bashrc', undefined);
    const { versions } = await side.json<DotfileHistory>('GET', '/v1/dotfiles/history?path=.bashrc', token);
    assert.deepEqual(
      versions.map(({ origin }) => origin),
      ['drift', 'api'],
    );
    assert.equal(
      await codeOf(await side.call('POST', '/v1/dotfiles/drift/take', token, { path: '.bashrc' })),
      'not-found',
    );
  });

  it('is restored, and what was there is a version', async () => {
    await save('.vimrc', 'one');
    writeFileSync(at('.vimrc'), 'by hand');
    chmodSync(at('.vimrc'), 0o600);
    await until('.vimrc', 'modified');
    const { applied, keptVersion } = await post<{ applied: object; keptVersion: number }>('drift/restore', {
      path: '.vimrc',
    });
    assert.deepEqual([applied, keptVersion], [{ state: 'applied' }, 2]);
    assert.deepEqual([readFileSync(at('.vimrc'), 'utf8'), statSync(at('.vimrc')).mode & 0o777], ['one', 0o644]);
    assert.equal(await (await side.call('GET', '/v1/dotfiles/content?path=.vimrc&version=2', token)).text(), 'by hand');
    await until('.vimrc', undefined);

    unlinkSync(at('.vimrc'));
    await until('.vimrc', 'missing');
    await post('drift/restore', { path: '.vimrc' });
    assert.equal(readFileSync(at('.vimrc'), 'utf8'), 'one');
    chmodSync(at('.vimrc'), 0o755);
    await until('.vimrc', 'mode');
    await post('drift/restore', { path: '.vimrc' });
    assert.equal(statSync(at('.vimrc')).mode & 0o777, 0o644);
    await until('.vimrc', undefined);
  });

  it('that meets a newer save is a conflict with its base, until somebody decides', async () => {
    const first = await save('.zshrc', 'base');
    writeFileSync(at('.zshrc'), 'theirs');
    await until('.zshrc', 'modified');
    const second = await save('.zshrc', 'ours', first.etag);
    assert.equal(readFileSync(at('.zshrc'), 'utf8'), 'ours');
    const conflict = await until('.zshrc', 'conflict');
    assert.deepEqual([conflict?.baseVersion, conflict?.driftVersion, conflict?.home], [1, 3, undefined]);
    const versionOf = async (version: number) =>
      (await side.call('GET', `/v1/dotfiles/content?path=.zshrc&version=${version}`, token)).text();
    assert.deepEqual([await versionOf(1), await versionOf(2), await versionOf(3)], ['base', 'ours', 'theirs']);
    // A merge is a save like any other, and settles it.
    await save('.zshrc', 'ours and theirs', second.etag);
    await until('.zshrc', undefined);
  });

  it('that was kept is taken or dismissed', async () => {
    const first = await save('.inputrc', 'base');
    writeFileSync(at('.inputrc'), 'theirs');
    await until('.inputrc', 'modified');
    await save('.inputrc', 'ours', first.etag);
    await until('.inputrc', 'conflict');
    const taken = await post<TakenDrift>('drift/take', { path: '.inputrc' });
    assert.equal(taken.dotfile?.version, 4);
    assert.equal(readFileSync(at('.inputrc'), 'utf8'), 'theirs');
    assert.equal(await listed('.inputrc'), undefined);

    writeFileSync(at('.inputrc'), 'again');
    await until('.inputrc', 'modified');
    await save('.inputrc', 'newest', taken.dotfile?.etag);
    await until('.inputrc', 'conflict');
    await post('drift/restore', { path: '.inputrc' });
    assert.equal(await listed('.inputrc'), undefined);
    assert.equal(await current('.inputrc'), 'newest');
  });

  it('may be a removal, or something of another kind', async () => {
    await save('gone', 'x');
    unlinkSync(at('gone'));
    await until('gone', 'missing');
    const taken = await post<TakenDrift>('drift/take', { path: 'gone' });
    assert.equal(taken.dotfile, null);
    assert.equal((await side.call('GET', '/v1/dotfiles/content?path=gone', token)).status, 404);

    await save('linked', 'x');
    unlinkSync(at('linked'));
    symlinkSync('.bashrc', at('linked'));
    await until('linked', 'replaced');
    const link = await post<TakenDrift>('drift/take', { path: 'linked' });
    assert.deepEqual([link.dotfile?.kind, await current('linked')], ['symlink', '.bashrc']);
    await until('linked', undefined);

    await save('folder', 'x');
    unlinkSync(at('folder'));
    mkdirSync(at('folder/full'), { recursive: true });
    await until('folder', 'replaced');
    const code = await codeOf(await side.call('POST', '/v1/dotfiles/drift/take', token, { path: 'folder' }));
    assert.equal(code, 'path-kind-conflict');
    const refused = await post<RestoredDrift>('drift/restore', { path: 'folder' });
    assert.equal(refused.applied.state, 'refused');
    const { troubles } = await side.json<DriftList>('GET', '/v1/dotfiles/drift', token);
    assert.deepEqual(troubles, [{ path: 'folder', applied: refused.applied }]);
    rmSync(at('folder'), { recursive: true });
    await post('drift/restore', { path: 'folder' });
    await until('folder', undefined);
    assert.deepEqual((await side.json<DriftList>('GET', '/v1/dotfiles/drift', token)).troubles, []);
  });

  it('is no way to look around in a home, and none of a box that is off', async () => {
    writeFileSync(at('private'), 'x');
    assert.equal(await codeOf(await side.call('GET', '/v1/dotfiles/home?path=private', token)), 'not-found');
    assert.equal(await codeOf(await side.call('GET', '/v1/dotfiles/home?path=../x', token)), 'path-traversal');
    writeFileSync(at('.vimrc'), 'before the stop');
    await until('.vimrc', 'modified');
    await side.json('POST', '/v1/box/stop', token);
    const list = await side.json<DriftList>('GET', '/v1/dotfiles/drift', token);
    assert.equal(list.watching, false);
    assert.ok(!list.drifts.some(({ path }) => path === '.vimrc'));
    assert.equal(await codeOf(await side.call('GET', '/v1/dotfiles/home?path=.vimrc', token)), 'box-stopped');

    // At the next start the overlay wins, and the edit waits as a version.
    await side.json('POST', '/v1/box/start', token);
    const kept = await until('.vimrc', 'kept');
    assert.equal(readFileSync(at('.vimrc'), 'utf8'), 'one');
    assert.equal(kept?.baseVersion, 1);
    const bytes = await side.call('GET', `/v1/dotfiles/content?path=.vimrc&version=${kept?.driftVersion}`, token);
    assert.equal(await bytes.text(), 'before the stop');
  });
});
