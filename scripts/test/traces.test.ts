import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { findStragglers, type MachineState, newTraces, readMachine } from './traces.ts';

const mountOf = (place: string): string => `36 35 98:0 / ${place} rw,noatime - ext4 /dev/root rw`;
const clean: MachineState = {
  mounts: [mountOf('/')],
  interfaces: ['lo', 'eth0'],
  firewall: ['-P INPUT ACCEPT'],
  cgroups: [],
};

describe('what a run left behind', () => {
  const cases: [string, Partial<MachineState>, string[]][] = [
    ['nothing', {}, []],
    ['a mount of ours', { mounts: [mountOf('/'), mountOf('/tmp/ours/x')] }, ['mount /tmp/ours/x']],
    ['a mount of somebody else', { mounts: [mountOf('/'), mountOf('/media/usb')] }, []],
    ['a bridge', { interfaces: ['lo', 'eth0', 'br-1'] }, ['network interface br-1']],
    ['a rule', { firewall: ['-P INPUT ACCEPT', '-A INPUT -j DROP'] }, ['firewall rule -A INPUT -j DROP']],
    ['a control group', { cgroups: ['/sys/fs/cgroup/spoon-1'] }, ['control group /sys/fs/cgroup/spoon-1']],
    ['something less', { interfaces: ['lo'] }, []],
  ];
  for (const [what, change, expected] of cases) {
    it(`names ${what}`, () => assert.deepEqual(newTraces(clean, { ...clean, ...change }, ['/tmp/ours']), expected));
  }

  it('is not confused by a Docker engine of the host that works meanwhile', () => {
    const before = { ...clean, interfaces: ['lo', 'docker0'] };
    const after = { ...before, interfaces: ['lo', 'docker0', 'veth12', 'spoon-x'], firewall: ['-A DOCKER -j ACCEPT'] };
    assert.deepEqual(newTraces(before, after, []), ['network interface spoon-x']);
  });

  it('is read from the machine', async () => {
    const machine = await readMachine();
    assert.ok(machine.interfaces.includes('lo'));
    assert.ok(machine.mounts.length > 0);
  });

  it('names processes that carry the mark, and no others', async () => {
    const mark = `SPOON_MARK=${process.pid}-${performance.now()}`;
    const [name, value] = mark.split('=') as [string, string];
    const child = spawn('sleep', ['60'], { env: { ...process.env, [name]: value } });
    await once(child, 'spawn');
    assert.deepEqual(await findStragglers(mark, '/nowhere-at-all'), [{ pid: child.pid, command: 'sleep 60' }]);
    child.kill();
    await once(child, 'exit');
    assert.deepEqual(await findStragglers(mark, '/nowhere-at-all'), []);
  });
});
