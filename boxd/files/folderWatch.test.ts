import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import type { FileChange, WatchMessage } from '../../protocol/homeFiles.ts';
import { maxControlBytes } from '../../protocol/limits.ts';
import { eventually } from '../testing/eventually.ts';
import { TestBox } from '../testing/testBox.ts';

describe('watching folders', () => {
  let box: TestBox;
  let socket: WebSocket;
  let messages: WatchMessage[];
  const at = (path: string) => join(box.home, path);
  const ask = (...folders: { path: string; recursive: boolean }[]) =>
    socket.send(JSON.stringify({ type: 'watch', folders }));
  const watching = (count: number) =>
    eventually(`${count} watched`, () => {
      const last = messages.findLast((message) => message.type === 'watching');
      return last?.type === 'watching' && last.folders === count;
    });
  const changes = (): FileChange[] =>
    messages.flatMap((message) => (message.type === 'changes' ? message.changes : []));
  const told = (path: string, kind: FileChange['kind']) =>
    eventually(`${path} ${kind}`, () => changes().some((change) => change.path === path && change.kind === kind));

  beforeEach(async () => {
    box = await TestBox.start({
      prepare: (home) => {
        for (const folder of ['src/deep', 'node_modules/x', '.git/objects']) {
          mkdirSync(join(home, 'Code/api/main', folder), { recursive: true });
        }
        writeFileSync(join(home, 'Code/api/main/a.txt'), 'a');
      },
    });
    messages = [];
    socket = await box.connect('/v1/files/watch');
    socket.on('message', (data) => messages.push(JSON.parse(String(data))));
    socket.on('error', () => undefined);
  });
  afterEach(() => box.stop());

  it('tells of files as they come, change and go, also in folders that come later', async () => {
    ask({ path: 'Code/api/main', recursive: true });
    await watching(3);
    writeFileSync(at('Code/api/main/a.txt'), 'b');
    await told('Code/api/main/a.txt', 'changed');
    const { version } = (await box.request('GET', '/v1/files/stat?path=Code/api/main/a.txt')).json();
    assert.equal(changes().at(-1)?.version, version);
    writeFileSync(at('Code/api/main/src/deep/new.txt'), '');
    await told('Code/api/main/src/deep/new.txt', 'created');
    mkdirSync(at('Code/api/main/later/below'), { recursive: true });
    await told('Code/api/main/later', 'created');
    await eventually('the new folders are watched', () => {
      writeFileSync(at('Code/api/main/later/below/x.txt'), String(performance.now()));
      return changes().some(({ path }) => path === 'Code/api/main/later/below/x.txt');
    });
    renameSync(at('Code/api/main/src'), at('Code/api/main/source'));
    await told('Code/api/main/src', 'deleted');
    await told('Code/api/main/source/deep/new.txt', 'created');
    rmSync(at('Code/api/main/source'), { recursive: true });
    await told('Code/api/main/source', 'deleted');
  });

  it('leaves out what tools make in masses, and its own temporary files', async () => {
    ask({ path: 'Code/api/main', recursive: true });
    await watching(3);
    writeFileSync(at('Code/api/main/node_modules/x/y.js'), '');
    writeFileSync(at('Code/api/main/.git/index'), '');
    const stat = (await box.request('GET', '/v1/files/stat?path=Code/api/main/a.txt')).json();
    const query = `path=Code/api/main/a.txt&version=${stat.version}`;
    await box.request('POST', `/v1/files/content?${query}`, Buffer.from('saved'));
    await told('Code/api/main/a.txt', 'created');
    assert.deepEqual(new Set(changes().map(({ path }) => path)), new Set(['Code/api/main/a.txt']));
  });

  it('says of a thousand changes at once that there are many', async () => {
    ask({ path: 'Code/api/main', recursive: true });
    await watching(3);
    mkdirSync(at('many'));
    for (let index = 0; index < 1000; index++) writeFileSync(at(`many/${index}`), '');
    renameSync(at('many'), at('Code/api/main/many'));
    await eventually('many changes', () => messages.some(({ type }) => type === 'manyChanges'));
  });

  it('cuts what it tells into messages that a window accepts', async () => {
    const long = `many/${'x'.repeat(240)}/${'y'.repeat(240)}`;
    mkdirSync(at(long), { recursive: true });
    for (let index = 0; index < 300; index++) writeFileSync(at(`${long}/${index}`), '');
    ask({ path: 'Code/api/main', recursive: true });
    await watching(3);
    renameSync(at('many'), at('Code/api/main/many'));
    await eventually('all are told', () => new Set(changes().map(({ path }) => path)).size === 303);
    assert.ok(messages.every((message) => JSON.stringify(message).length <= maxControlBytes));
    assert.ok(messages.length > 2);
  });

  it('looks at one folder only where that is asked, and stops when it is not asked any more', async () => {
    ask({ path: 'Code/api/main', recursive: false }, { path: 'missing', recursive: true });
    await watching(1);
    writeFileSync(at('Code/api/main/src/unseen.txt'), '');
    writeFileSync(at('Code/api/main/seen.txt'), '');
    await told('Code/api/main/seen.txt', 'created');
    ask();
    await watching(0);
    assert.ok(!changes().some(({ path }) => path.endsWith('unseen.txt')));
  });

  for (const garbage of ['[]', '{"type":"watch"}', '{"type":"watch","folders":[{"path":"../x","recursive":true}]}']) {
    it(`hangs up on ${garbage}`, async () => {
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.send(garbage);
      assert.equal(await closed, 4400);
      assert.equal((await box.request('GET', '/v1/stat')).status, 200);
    });
  }
});
