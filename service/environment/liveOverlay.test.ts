import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OverlayReport } from '../../protocol/boxd.ts';
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
