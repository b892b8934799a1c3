import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Health } from '../../protocol/boxes.ts';
import type { EgressReport } from '../../protocol/egress.ts';
import { RunningService } from '../runningService.ts';

const run = promisify(execFile);
const spoonctl = join(import.meta.dirname, '../../cli/spoonctl.mjs');

/** spoonctl of the administrator, in a network namespace that is thrown away: rules that it sets are nobody's. */
async function asAdmin(service: RunningService, command: string): Promise<string> {
  const script = `spoonctl() { "$0" "$1" "$@"; }; ${command}`.replace(
    '"$0" "$1"',
    `'${process.execPath}' '${spoonctl}'`,
  );
  const env = { PATH: process.env.PATH ?? '', HOME: service.workdir, SPOON_AGENT_WORKDIR: service.workdir };
  return (await run('unshare', ['--net', 'sh', '-c', script], { env })).stdout;
}

describe('what a box reaches of its host', () => {
  it('is tried at the start: nothing, and health has no word about it', async () => {
    await using service = await RunningService.start({ engine: 'docker' });
    const report = JSON.parse(await asAdmin(service, 'spoonctl admin network check --json')) as EgressReport;
    assert.deepEqual([report.failure, report.reached, report.untried], [null, [], null]);
    const health = (await (await fetch(`${service.url}/v1/health`)).json()) as Health;
    assert.doesNotMatch(health.problems.join('\n'), /reach/);
    assert.match(await asAdmin(service, 'spoonctl admin network show'), /^Boxes reach {2}nothing of this machine/);
  });

  it('is said in health, with what to do, where the service cannot set rules', async () => {
    const environment = { SPOON_AGENT_NETWORK_NAMESPACE: '/nonexistent/net', SPOON_GIT_HOSTS: '10.9.8.7:3000' };
    await using service = await RunningService.start({ engine: 'docker', environment });
    const report = await service.admin<EgressReport>('POST', '/v1/admin/network/check');
    assert.match(String(report.failure), /nonexistent/);
    assert.ok(report.reached.length > 0);
    const health = (await (await fetch(`${service.url}/v1/health`)).json()) as Health;
    assert.equal(health.status, 'degraded');
    // By hand, from the same plan; the check after it still finds Docker's own namespace open.
    const rules = await asAdmin(service, 'spoonctl admin network apply; test $? = 1 && iptables -S');
    assert.match(rules, /-A INPUT -i spoon[0-9a-f]{6}\+ -j SPOON-IN-/);
    assert.match(rules, /-A SPOON-FWD-[0-9a-f]{8} -d 10\.9\.8\.7\/32 -p tcp -m tcp --dport 3000 -j RETURN/);
    const bare = await asAdmin(service, 'spoonctl admin network apply; spoonctl admin network remove && iptables -S');
    assert.doesNotMatch(bare, /SPOON/);
    const printed = await asAdmin(service, 'spoonctl admin network apply --print');
    assert.match(printed, /^set -eu\n/);
  });
});
