import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { boxdParkedConnections } from '../../protocol/limits.ts';
import { findDescendants } from '../processes/processTable.ts';
import { eventually } from '../testing/eventually.ts';
import { TestBox } from '../testing/testBox.ts';
import { TestViewer } from '../testing/testViewer.ts';

const parked = (box: TestBox, count: number) => eventually(`${count} parked`, () => box.parked === count);

describe("boxd's connections", () => {
  it('are parked, used once each, and replaced at once', async () => {
    const box = await TestBox.start();
    try {
      await parked(box, boxdParkedConnections);
      for (let round = 0; round < 20; round++) {
        const replies = await Promise.all(Array.from({ length: 10 }, () => box.request('GET', '/v1/stat')));
        for (const { status } of replies) assert.equal(status, 200);
      }
      await parked(box, boxdParkedConnections);
    } finally {
      await box.stop();
    }
  });

  it('come back after the service was killed, with the terminals as they were and not a byte lost', async () => {
    const box = await TestBox.start({
      prepare: (home) => writeFileSync(join(home, '.bashrc'), 'PS1="$ "\nbind "set enable-bracketed-paste off"\n'),
    });
    try {
      await box.openTerminal({ id: 'long' });
      const before = await TestViewer.attach(box, 'long');
      await before.untilText(/\$ $/);
      before.type('for n in {1..60}; do echo n=$n; sleep 0.02; done; echo do""ne\r');
      await before.untilText(/n=5\r\n/);
      await box.killService();
      await before.closed;
      await delay(400);
      await box.startService();
      const after = await TestViewer.attach(box, 'long', { offset: before.offset });
      await after.untilText(/done\r\n\$ $/);
      const expected = Array.from({ length: 60 }, (_, index) => `n=${index + 1}\r\n`).join('');
      assert.ok((before.text + after.text).includes(expected));
      after.type('sleep 100\r');
      await after.untilText(/sleep 100\r\n/);
      after.type('\x03');
      await after.untilText(/\^C\r\n\$ $/);
    } finally {
      await box.stop();
    }
  });

  it('are asked for without hurry while the service is away', async () => {
    const box = await TestBox.start();
    try {
      await parked(box, boxdParkedConnections);
      await box.killService();
      const before = readFileSync(`/proc/${box.process.pid}/schedstat`, 'utf8');
      await delay(1_000);
      const after = readFileSync(`/proc/${box.process.pid}/schedstat`, 'utf8');
      const ranNs = Number(after.split(' ')[0]) - Number(before.split(' ')[0]);
      assert.ok(ranNs < 200e6, `${ranNs} ns of one second`);
      assert.equal(box.process.exitCode, null);
      await box.startService();
      assert.equal((await box.request('GET', '/v1/stat')).status, 200);
    } finally {
      await box.stop();
    }
  });

  it('end with all shells at SIGTERM, and boxd says 0', async () => {
    const box = await TestBox.start();
    try {
      await box.openTerminal({ id: 'last-one' });
      const viewer = await TestViewer.attach(box, 'last-one');
      await viewer.untilText(/[$#] $/);
      viewer.type('trap "" HUP; echo tr""apped; sleep 4323\r');
      await viewer.untilText(/trapped/);
      box.process.kill('SIGTERM');
      const [code] = await once(box.process, 'exit');
      assert.equal(code, 0);
      assert.deepEqual(findDescendants(-2, 'SPOON_TERMINAL_ID=last-one'), []);
    } finally {
      await box.stop();
    }
  });
});
