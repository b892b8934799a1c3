import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Value } from 'typebox/value';
import { bridgePrefix, EgressPlan, egressScript, removeEgressScript } from './egress.ts';

const plan: EgressPlan = {
  instance: 'abcd1234',
  open: [{ address: '10.0.0.5', port: 3000 }],
  resolvers: ['10.0.0.2'],
};

describe('the plan of what boxes may reach', () => {
  it('takes addresses, and nothing that a shell or a firewall would read as more', () => {
    assert.ok(Value.Check(EgressPlan, plan));
    for (const address of [
      '10.0.0.5; reboot',
      '10.0.0.5/8',
      '$(reboot)',
      '10.0.0.256',
      '::1',
      '',
      '10.0.0.5\n-j ACCEPT',
    ]) {
      assert.ok(!Value.Check(EgressPlan, { ...plan, resolvers: [address] }), address);
      assert.ok(!Value.Check(EgressPlan, { ...plan, open: [{ address, port: 1 }] }), address);
    }
    for (const instance of ['abcd123', 'abcd12345', "abcd123'", 'ABCD1234', 'abcd123\n']) {
      assert.ok(!Value.Check(EgressPlan, { ...plan, instance }), instance);
    }
    for (const port of [0, 65_536, 1.5, '80']) {
      assert.ok(!Value.Check(EgressPlan, { ...plan, open: [{ address: '10.0.0.5', port }] }), String(port));
    }
  });

  it('opens nothing of the metadata addresses, listed or not', () => {
    const script = egressScript({ ...plan, open: [{ address: '169.254.169.254', port: 80 }] });
    const at = (text: string) => script.indexOf(text);
    assert.ok(at('-d 169.254.0.0/16 -j REJECT') < at('-d 169.254.169.254 -p tcp --dport 80 -j RETURN'));
  });

  it('leaves room in the name of a bridge for its subnet', () => {
    assert.equal(bridgePrefix('abcd1234').length + 4, 15);
  });
});

describe('the scripts', () => {
  const withoutTools = (script: string) =>
    spawnSync('/bin/sh', ['-s'], { input: script, env: { PATH: '/nonexistent' }, encoding: 'utf8' });

  it('say plainly that there is no iptables', () => {
    const { status, stderr } = withoutTools(egressScript(plan));
    assert.deepEqual([status, stderr], [1, 'iptables is not installed\n']);
  });

  it('have nothing to remove then', () => {
    assert.equal(withoutTools(removeEgressScript(plan.instance)).status, 0);
  });
});
