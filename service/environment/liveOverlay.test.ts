import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OverlayOutcome, OverlayReport } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { LiveOverlay, type LiveOverlayParts } from './liveOverlay.ts';

const entry = { path: '.bashrc', kind: 'file', mode: 0o644, size: 1, content: 'c' } as const;

describe('a box that lies about the overlay', () => {
  it('has one backup of a file stored, however often it names one', async () => {
    const edit = { path: '.bashrc', result: 'written', backupKind: 'edit' } as const;
    const report: OverlayReport = {
      outcomes: Array.from({ length: 1000 }, (_, index) => ({ ...edit, backup: `.spoon/backup/${index}` })),
      stages: [],
    };
    const box = {
      user: { userId: 'ada' },
      boxd: {
        isUpToDate: async () => false,
        neededPaths: async () => [],
        applyOverlay: async () => report,
        backup: async () => new Uint8Array(1),
      },
    } as unknown as RunningBox;
    let kept = 0;
    const overlay = new LiveOverlay({
      dotfiles: {
        overlay: async () => ({ digest: 'd', entries: [entry] }),
        contents: async function* () {},
        keepDrift: async () => {
          kept++;
        },
      } as unknown as LiveOverlayParts['dotfiles'],
      reachable: () => box,
      publish: () => undefined,
      onWritten: () => undefined,
      isOff: async () => false,
      onTakenOut: async () => undefined,
      onError: (error) => assert.fail(String(error)),
    });
    await overlay.applyAll(box);
    assert.equal(kept, 1);
  });
});

/** A user's overlay and boxes; what a box does with what it is sent, the test decides. */
function setUp(waitMs?: number) {
  const told: string[] = [];
  const late = Promise.withResolvers<void>();
  const paths = ['.bashrc', '.vimrc'];
  let version = 0;
  const side = {
    told,
    late,
    apply: async (): Promise<OverlayOutcome['result']> => 'written',
    box: undefined as RunningBox | undefined,
    start: async () => {
      side.box = newBox();
      await overlay.applyAll(side.box);
    },
    save: async (...saved: string[]) => {
      version++;
      const answers = await overlay.applyChange('ada', { saved: saved as HomePath[] });
      return [...answers].map(([path, { state }]) => `${path} ${state}`);
    },
    troubles: () => overlay.troubles('ada').map(({ path, applied }) => `${path} ${applied.state}`),
    decided: (path: string) => overlay.decided('ada', path),
  };
  const newBox = () =>
    ({
      user: { userId: 'ada' },
      boxd: {
        isUpToDate: async () => false,
        neededPaths: async () => [],
        applyOverlay: async (sent: { entries: { path: string }[] }): Promise<OverlayReport> => {
          const result = await side.apply();
          const of = (path: string) => (path === '.bashrc' ? result : 'written');
          return { outcomes: sent.entries.map(({ path }) => ({ path, result: of(path) })), stages: [] };
        },
      },
    }) as unknown as RunningBox;
  const overlay = new LiveOverlay({
    dotfiles: {
      overlay: async () => ({
        digest: `d${version}`,
        entries: paths.map((path) => ({ ...entry, path, content: `c${version}` })),
      }),
      contents: async function* () {},
    } as unknown as LiveOverlayParts['dotfiles'],
    reachable: () => side.box,
    publish: (_, event: SpoonEvent) => {
      if (event.type === 'dotfile.applied') told.push(`${event.path} ${event.applied.state}`);
      if (told.at(-1) === '.bashrc applied') late.resolve();
    },
    onWritten: () => undefined,
    isOff: async () => false,
    onTakenOut: async () => undefined,
    onError: () => undefined,
    ...(waitMs === undefined ? {} : { waitMs }),
  });
  return side;
}

describe('a dotfile that its box does not have', () => {
  it('is told to be there when a save that took too long has come through', async () => {
    const side = setUp(1);
    await side.start();
    const { promise, resolve } = Promise.withResolvers<'written'>();
    side.apply = () => promise;
    assert.deepEqual(await side.save('.bashrc'), ['.bashrc pending']);
    assert.deepEqual(side.troubles(), ['.bashrc pending']);
    assert.deepEqual(side.told, []);
    resolve('written');
    await side.late.promise;
    assert.deepEqual(side.told, ['.bashrc applied']);
    assert.deepEqual(side.troubles(), []);
  });

  it('is told to be there when a save of another one has brought it after a failure', async () => {
    const side = setUp();
    await side.start();
    side.apply = async () => {
      throw new SpoonError('box-misbehaved');
    };
    assert.deepEqual(await side.save('.bashrc'), ['.bashrc pending']);
    assert.deepEqual(side.troubles(), ['.bashrc pending']);
    side.apply = async () => 'written';
    assert.deepEqual(await side.save('.vimrc'), ['.vimrc applied']);
    assert.deepEqual(side.told, ['.bashrc applied']);
    assert.deepEqual(side.troubles(), []);
  });

  it('is told to be there when the next start has repaired it', async () => {
    const side = setUp();
    side.apply = async () => 'refused';
    await side.start();
    assert.deepEqual(side.told, ['.bashrc refused']);
    assert.deepEqual(side.troubles(), ['.bashrc refused']);
    side.box = undefined;
    assert.deepEqual(side.troubles(), [], 'a box that is off lacks nothing');
    side.apply = async () => 'written';
    await side.start();
    assert.deepEqual(side.told, ['.bashrc refused', '.bashrc applied']);
    assert.deepEqual(side.troubles(), []);
  });

  it('stays in trouble while others are saved', async () => {
    const side = setUp();
    side.apply = async () => 'refused';
    await side.start();
    await side.save('.vimrc');
    assert.deepEqual(side.troubles(), ['.bashrc refused']);
    assert.ok(!side.told.includes('.bashrc applied'));
  });

  it('is well once somebody has decided about an edit that was in its way, and not before', async () => {
    const side = setUp();
    side.apply = async () => 'kept';
    await side.start();
    assert.deepEqual(side.troubles(), ['.bashrc conflict']);
    side.decided('.bashrc');
    assert.deepEqual(side.troubles(), []);
    assert.deepEqual(side.told, ['.bashrc conflict', '.bashrc applied']);
  });
});
