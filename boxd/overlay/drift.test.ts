import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { Check } from 'typebox/value';
import { DriftReport, type HomeDrift, HomeEntry } from '../../protocol/boxd.ts';
import { frame, readFrameBatches } from '../../protocol/overlayFrames.ts';
import { TestBox } from '../testing/testBox.ts';
import { DriftWatcher } from './driftWatcher.ts';
import { Overlay } from './overlay.ts';

describe('drift', () => {
  let box: TestBox;
  const at = (path: string) => join(box.home, path);
  before(async () => {
    box = await TestBox.start();
  });
  after(() => box.stop());

  async function report(after: number): Promise<DriftReport> {
    const value: unknown = (await box.request('GET', `/v1/overlay/drift?after=${after}`)).json();
    assert(Check(DriftReport, value));
    return value;
  }
  /** Asks on, as the service does, until it holds. */
  async function until(holds: (drifts: readonly HomeDrift[]) => boolean): Promise<readonly HomeDrift[]> {
    for (let sequence = 0; ; ) {
      const next = await report(sequence);
      if (holds(next.drifts)) return next.drifts;
      sequence = next.sequence;
    }
  }
  const stateOf = async (path: string, wanted: string | undefined) =>
    (await until((drifts) => drifts.find((drift) => drift.path === path)?.state === wanted)).find(
      (drift) => drift.path === path,
    );

  const files = [
    { path: '.bashrc', bytes: 'one', content: 'c-bashrc' },
    { path: '.config/app/deep/conf', bytes: 'two', content: 'c-conf' },
    { path: 'link', kind: 'symlink', bytes: '.bashrc' },
    { path: 'kept', kind: 'directory', mode: 0o755 },
  ] as const;

  it('is seen within a second, of each kind, and is gone when it is undone', async () => {
    await box.apply(files);
    assert.deepEqual((await report(0)).drifts, []);

    const start = performance.now();
    writeFileSync(at('.bashrc'), 'by hand');
    const drift = await stateOf('.bashrc', 'modified');
    assert.ok(performance.now() - start < 1_000, `${performance.now() - start} ms`);
    assert.deepEqual([drift?.base, drift?.home.kind, drift?.home.size], ['c-bashrc', 'file', 7]);
    // The same bytes again, at another time: as it was.
    writeFileSync(at('.bashrc'), 'one');
    await stateOf('.bashrc', undefined);

    writeFileSync(at('.bashrc'), 'eno');
    await stateOf('.bashrc', 'modified');
    writeFileSync(at('.bashrc'), 'one');
    chmodSync(at('.bashrc'), 0o600);
    assert.equal((await stateOf('.bashrc', 'mode'))?.home.mode, 0o600);
    unlinkSync(at('.bashrc'));
    await stateOf('.bashrc', 'missing');
    symlinkSync('/etc/passwd', at('.bashrc'));
    assert.equal((await stateOf('.bashrc', 'replaced'))?.home.kind, 'symlink');
    unlinkSync(at('.bashrc'));
    unlinkSync(at('link'));
    symlinkSync('elsewhere', at('link'));
    await stateOf('link', 'modified');
    chmodSync(at('kept'), 0o700);
    await stateOf('kept', 'mode');

    await box.apply(files);
    await until((drifts) => drifts.length === 0);
  });

  it('is seen in folders that are moved, removed and made again', async () => {
    await box.apply(files);
    await until((drifts) => drifts.length === 0);
    renameSync(at('.config'), at('.config.off'));
    await stateOf('.config/app/deep/conf', 'missing');
    mkdirSync(at('.config/app/deep'), { recursive: true });
    writeFileSync(at('.config/app/deep/conf'), 'made again');
    await stateOf('.config/app/deep/conf', 'modified');
    writeFileSync(at('.config/app/deep/conf'), 'two');
    await stateOf('.config/app/deep/conf', undefined);
    rmSync(at('.config'), { recursive: true });
    renameSync(at('.config.off'), at('.config'));
    await until((drifts) => drifts.length === 0);
    // And the folder that came back is watched itself.
    writeFileSync(at('.config/app/deep/conf'), 'again');
    await stateOf('.config/app/deep/conf', 'modified');
    await box.apply(files);
  });

  it('is not seen in what Spoon does itself, nor in files that it does not manage', async () => {
    await box.apply(files);
    await until((drifts) => drifts.length === 0);
    const { sequence } = await report(0);
    const next = report(sequence);
    for (let index = 0; index < 50; index++) writeFileSync(at('.bash_history'), String(index));
    await box.apply([...files, { path: 'new', bytes: 'x', content: 'c-new' }]);
    utimesSync(at('new'), 1, 1);
    writeFileSync(at('new'), 'by hand');
    const { drifts } = await next;
    assert.deepEqual(
      drifts.map(({ path }) => path),
      ['new'],
      'the first news is of a hand edit of what was managed last',
    );
    await box.apply(files);
  });

  it('is told with its base when the edit has to give way, and the edit is a backup', async () => {
    await box.apply(files);
    writeFileSync(at('.bashrc'), 'by hand');
    const { outcomes } = await box.apply([{ path: '.bashrc', bytes: 'newer', content: 'c-newer' }]);
    const outcome = outcomes.find(({ path }) => path === '.bashrc');
    assert.deepEqual([outcome?.backupKind, outcome?.base], ['edit', 'c-bashrc']);
    assert.equal(readFileSync(at(outcome?.backup ?? ''), 'utf8'), 'by hand');
    await until((drifts) => drifts.length === 0);
  });

  async function readHome(path: string): Promise<{ entry: HomeEntry; bytes: Buffer }> {
    const { body } = await box.request('GET', `/v1/overlay/home?${new URLSearchParams({ path })}`);
    const frames: Uint8Array[] = [];
    for await (const some of readFrameBatches([body] as never, 20_000_000)) frames.push(...some);
    const entry: unknown = JSON.parse(Buffer.from(frames[0] ?? []).toString());
    assert(Check(HomeEntry, entry));
    return { entry, bytes: Buffer.from(frames[1] ?? []) };
  }

  it('can be read: files, links, nothing; never a pipe, never out of the home (rows 20, 23)', async () => {
    writeFileSync(at('.bashrc'), 'by hand');
    const file = await readHome('.bashrc');
    assert.deepEqual([file.entry.kind, file.entry.size, file.bytes.toString()], ['file', 7, 'by hand']);
    assert.equal(file.entry.modifiedMs, Math.round(lstatSync(at('.bashrc')).mtimeMs));
    rmSync(at('link'), { force: true });
    symlinkSync('/etc/passwd', at('link'));
    assert.deepEqual((await readHome('link')).bytes.toString(), '/etc/passwd');
    for (const path of ['gone', 'gone/deeper', '.bashrc/below']) {
      assert.equal((await readHome(path)).entry.kind, 'missing', path);
    }
    execFileSync('mkfifo', [at('pipe')]);
    assert.equal((await readHome('pipe')).entry.kind, 'other');
    symlinkSync('/etc', at('out'));
    const codeOf = async (path: string) =>
      (await box.request('GET', `/v1/overlay/home?${new URLSearchParams({ path })}`)).json().code;
    assert.equal(await codeOf('out/passwd'), 'path-through-symlink');
    assert.equal(await codeOf('../x'), 'path-traversal');
    assert.equal(await codeOf('.spoon/manifest.json'), 'path-reserved');
  });

  it('is also seen where no watch is left, a little later', async () => {
    const home = join(box.folder, 'other-home');
    mkdirSync(home);
    const overlay = new Overlay(home);
    const entry = (path: string) => ({ path, kind: 'file', mode: 0o644, size: 1, content: path }) as const;
    const paths = ['a', 'one/b', 'two/c', 'three/deep/d'];
    const request = { scope: 'whole', digest: 'd', entries: paths.map(entry), removed: [] };
    const frames = [JSON.stringify(request), ...paths.flatMap((path) => [path, 'x'])];
    await overlay.apply(Readable.from(frames.flatMap((text) => frame(Buffer.from(text)))));
    const watcher = new DriftWatcher(home, overlay, { log: assert.fail, maxWatches: 2, pollMs: 20 });
    try {
      assert.deepEqual((await watcher.report(0)).drifts, []);
      for (const path of paths) writeFileSync(join(home, path), 'by hand');
      for (let sequence = 0, seen = 0; seen < paths.length; ) {
        const next = await watcher.report(sequence);
        sequence = next.sequence;
        seen = next.drifts.length;
      }
    } finally {
      watcher.close();
    }
  });
});
