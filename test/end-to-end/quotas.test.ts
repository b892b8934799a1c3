import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { AuditEntry } from '../../protocol/audit.ts';
import type { UsageReport, UserQuota } from '../../protocol/quotas.ts';
import { Quotas } from '../../service/quotas/quotas.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

const mebi = 2 ** 20;

/** From the operator's socket to a real boxd. */
describe('quotas', { timeout: 180_000 }, () => {
  let side: TestHttpSide;
  let token: string;
  before(async () => {
    side = await TestHttpSide.start();
    token = await side.tokenOf('ada');
  });
  after(() => side[Symbol.asyncDispose]());

  const operator = (method: string, path: string, body?: unknown) =>
    operatorCall(side.adminSocket, method, `/v1/admin/${path}`, body);
  const setQuota = async (body: unknown, username = 'ada') => {
    const answer = await operator('PUT', `users/${username}/quota`, body);
    return { status: answer.status, code: answer.body.code, quota: answer.body as unknown as UserQuota };
  };
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await side.call(method, path, token, body);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('of one user are set one by one, outlive a restart, are written down, and go back to those of all', async () => {
    const before = (await setQuota({})).quota;
    assert.deepEqual(before.own, []);
    assert.deepEqual((await setQuota({ memoryBytes: 2 ** 30, cpus: 0.5 })).quota.own, ['memoryBytes', 'cpus']);
    const { quota } = await setQuota({ processes: 100, cpus: null });
    assert.deepEqual(quota.limits, { ...before.limits, memoryBytes: 2 ** 30, processes: 100 });
    const reopened = await Quotas.open(side.store);
    assert.deepEqual(reopened.limitsOf(side.ada.id), quota.limits);
    assert.deepEqual(reopened.boxLimitsOf(side.ada.id), { memoryBytes: 2 ** 30, cpus: 2, maxProcesses: 100 });
    assert.deepEqual(reopened.limitsOf(side.bo.id), before.limits);
    assert.deepEqual((await setQuota({ memoryBytes: null, processes: null })).quota, before);

    const { entries } = (await operator('GET', 'audit?limit=1000')).body as { entries: AuditEntry[] };
    assert.equal(entries.filter(({ event, object }) => event === 'user.quota' && object === 'ada').length, 4);
    assert.equal((await setQuota({}, 'nobody-here')).status, 404);
  });

  it('that are no limits are refused, and nothing of them is taken (row 95)', async () => {
    const wrong = [-1, 0, 1e18, '1GB ', 0.5, true, [], 2 ** 53, '1e9'];
    for (const name of ['memoryBytes', 'processes', 'terminals', 'dotfiles', 'dotfileBytes', 'homeBytes'])
      for (const value of wrong) {
        const { status, code } = await setQuota({ [name]: value, cpus: 1 });
        assert.deepEqual([status, code], [422, 'request-invalid'], `${name} ${value}`);
      }
    for (const body of [{ cpus: 0 }, { cpus: 1e9 }, { terminals: 17 }, { dotfiles: 10_001 }, { memoryBytes: mebi }])
      assert.equal((await setQuota(body)).status, 422, JSON.stringify(body));
    assert.deepEqual((await setQuota({ swap: 1 })).code, 'unknown-field');
    assert.deepEqual((await setQuota({})).quota.own, []);
  });

  it('of terminals and dotfiles refuse the next one, and say what to do', async () => {
    await setQuota({ terminals: 1, dotfiles: 1 });
    const first = await call('POST', '/v1/terminals', {});
    const second = await call('POST', '/v1/terminals', {});
    assert.deepEqual([first.status, second.status, second.body.code], [200, 429, 'terminal-limit']);
    assert.equal(second.body.detail, 'At most 1. Close one and try again.');
    const save = (path: string) =>
      fetch(`${side.url}/v1/dotfiles/content?path=${path}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', 'if-none-match': '*' },
        body: 'x',
      });
    assert.equal((await save('.one')).status, 200);
    const refused = await save('.two');
    const problem = (await refused.json()) as { code: string; detail: string };
    assert.deepEqual([refused.status, problem.code], [409, 'dotfile-limit']);
    assert.match(problem.detail, /ask your administrator/);
    await setQuota({ terminals: null, dotfiles: null });
    assert.equal((await save('.two')).status, 200);
  });

  it('of a home keep new threads away, never a terminal, and usage says who uses what', async () => {
    const { terminal } = (await call('POST', '/v1/terminals', {})).body as { terminal: { id: string } };
    writeFileSync(join(side.boxes.homeOf('ada'), 'large'), Buffer.alloc(3 * mebi, 1));
    const { usage } = (await setQuota({ homeBytes: 2 * mebi })).quota;
    assert.ok((usage.homeBytes ?? 0) >= 3 * mebi, `${usage.homeBytes}`);

    const thread = { spoon: 'big', branch: 'main', url: 'https://git.example/big.git' };
    const refused = await call('POST', '/v1/threads', thread);
    assert.deepEqual([refused.status, refused.body.code], [409, 'home-over-quota']);
    assert.match(String(refused.body.detail), /^It holds \d+ MiB of at most 2 MiB\. Delete what is large/);
    const opened = await call('POST', '/v1/terminals', {});
    assert.equal(opened.status, 200);
    assert.match(JSON.stringify(opened.body.notes), /Your home is over its quota/);
    assert.equal((await call('GET', '/v1/home/usage')).body.quotaBytes, 2 * mebi);

    const report = (await operator('GET', 'usage')).body as unknown as UsageReport;
    assert.deepEqual(
      report.users.map(({ username }) => username),
      ['ada', 'bo'],
    );
    const [ada, bo] = report.users;
    assert.ok((ada?.usage.terminals ?? 0) >= 2);
    assert.deepEqual([bo?.usage.terminals, bo?.usage.homeBytes, bo?.usage.dotfiles], [null, null, 0]);
    assert.equal(report.total.homeBytes, ada?.usage.homeBytes);
    assert.ok(!JSON.stringify(report).includes('large'), 'no name of a file');
    await setQuota({ homeBytes: null });
    assert.equal((await side.call('DELETE', `/v1/terminals/${terminal.id}`, token)).status, 204);
  });
});
