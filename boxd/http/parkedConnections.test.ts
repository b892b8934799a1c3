import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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
    const file = (name: string) => join(box.home, name);
    try {
      await box.openTerminal({ id: 'long' });
      const before = await TestViewer.attach(box, 'long');
      await before.untilText(/\$ $/);
      // The count waits for the service to go, and again for it to come back, so that no machine is too slow for it.
      const pauses = 'case $n in 5) wait_for gone ;; 40) touch ~/counted; wait_for back ;; esac';
      before.type('wait_for() { until [ -e ~/$1 ]; do sleep 0.02; done; }\r');
      before.type(`for n in {1..60}; do echo n=$n; ${pauses}; done; echo do""ne\r`);
      await before.untilText(/n=5\r\n/);
      await box.killService();
      await before.closed;
      writeFileSync(file('gone'), '');
      await eventually('counted without a service', () => existsSync(file('counted')));
      await box.startService();
      const after = await TestViewer.attach(box, 'long', { offset: before.offset });
      writeFileSync(file('back'), '');
      await after.untilText(/done\r\n\$ $/);
      const expected = Array.from({ length: 60 }, (_, index) => `n=${index + 1}\r\n`).join('');
      assert.ok((before.text + after.text).includes(expected));
      // Ctrl-C between Enter and the program's start is bash's own, which may drop it.
      after.type('sh -c \'echo run""ning; exec sleep 100\'\r');
      await after.untilText(/running\r\n/);
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
