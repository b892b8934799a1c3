import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { endProcesses } from './endProcesses.ts';
import { findDescendants, parseStat, readStat } from './processTable.ts';

describe('parseStat', () => {
  it('is not misled by a process that calls itself like the rest of the line', () => {
    const line = '42 (evil) S 1 1 1) (x) R 7 43 44 34816 45 4194304 0';
    assert.deepEqual(parseStat(line), {
      pid: 42,
      state: 'R',
      parent: 7,
      processGroup: 43,
      session: 44,
      foregroundGroup: 45,
    });
  });

  it('gives nothing for what is no such line', () => {
    for (const text of ['', 'x', '42 (a)', '(a) R 1 2 3']) assert.equal(parseStat(text), undefined);
  });

  it('reads this very process', () => {
    assert.equal(readStat(process.pid)?.pid, process.pid);
    assert.equal(readStat(2 ** 30), undefined);
  });
});

describe('endProcesses', () => {
  it('ends what ignores SIGHUP, left its session and kept only the marker', async () => {
    const marker = `SPOON_TEST_MARKER=${process.pid}-${Date.now()}`;
    const [name = '', value] = marker.split('=');
    const script = 'trap "" HUP; setsid sh -c \'trap "" HUP; echo up; sleep 600\' & echo up; sleep 600';
    const child = spawn('sh', ['-c', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH, [name]: value },
    });
    let seen = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      seen += chunk;
      if (seen.split('up').length > 2) break;
    }
    assert.ok(findDescendants(child.pid ?? 0, marker).length >= 3);
    await endProcesses(child.pid ?? 0, marker, 50);
    if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
    assert.deepEqual(findDescendants(child.pid ?? 0, marker), []);
  });
});
