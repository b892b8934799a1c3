import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type MetricSources, Metrics } from './metrics.ts';
import { listenForMetrics } from './metricsListener.ts';

const sources: MetricSources = {
  version: '1.2.3',
  engine: 'docker',
  boxes: async () => ({
    states: new Map([
      ['running', 2],
      ['stopped', 5],
    ]),
    terminals: 3,
    viewers: 1,
    holders: new Map([['viewer', 1]]),
  }),
  jobs: () => ({ queued: 4, running: 1 }),
  eventSockets: () => 6,
  storeBytes: async () => 4096,
  disks: async () => [{ holds: 'homes', freeBytes: 10, totalBytes: 20 }],
  lastBackupMs: async () => 1_700_000_000_000,
  auditFailures: () => 2,
  findings: async () => [{ about: 'disk', state: 'warning', text: 'canary: nearly full' }],
  onError: (error) => assert.fail(String(error)),
};

/** Those of Spoon and not of Node. */
async function linesOf(metrics: Metrics): Promise<string[]> {
  return (await metrics.render()).split('\n').filter((line) => line.startsWith('spoon_'));
}

describe('metrics', () => {
  it('have what is asked for at that moment', async () => {
    const lines = await linesOf(new Metrics(sources));
    for (const line of [
      'spoon_info{version="1.2.3",engine="docker"} 1',
      'spoon_boxes{state="running"} 2',
      'spoon_terminals 3',
      'spoon_terminal_viewers 1',
      'spoon_box_holders{kind="viewer"} 1',
      'spoon_jobs{state="queued"} 4',
      'spoon_event_sockets 6',
      'spoon_database_bytes 4096',
      'spoon_disk_free_bytes{holds="homes"} 10',
      'spoon_last_backup_timestamp_seconds 1700000000',
      'spoon_audit_failures_total 2',
      'spoon_health_findings{about="disk",state="warning"} 1',
      'spoon_health_findings{about="disk",state="failed"} 0',
    ])
      assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
  });

  it('have the process and its event loop', async () => {
    const text = await new Metrics(sources).render();
    for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds'])
      assert.ok(text.includes(name));
  });

  it('count requests by route and status, and keep what clients write out', async () => {
    const metrics = new Metrics(sources);
    const finished = { method: 'GET', route: '/v1/me', status: 200, ms: 7 };
    metrics.requestFinished(finished);
    metrics.requestFinished({ ...finished, ms: 300 });
    metrics.requestFinished({ method: 'PROPFIND', route: 'none', status: 404, ms: 1 });
    metrics.upgradeFinished({ route: '/v1/events', status: 101 });
    const lines = await linesOf(metrics);
    const name = 'spoon_http_request_duration_seconds';
    for (const line of [
      `${name}_bucket{le="0.01",method="GET",route="/v1/me",status="200"} 1`,
      `${name}_count{method="GET",route="/v1/me",status="200"} 2`,
      `${name}_count{method="any",route="none",status="404"} 1`,
      'spoon_websocket_upgrades_total{route="/v1/events",status="101"} 1',
    ])
      assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
  });

  it('leave out what cannot be had, say so to the log, and have the rest', async () => {
    const told: unknown[] = [];
    const busy = new Error('busy');
    const refuse = () => Promise.reject(busy);
    const metrics = new Metrics({
      ...sources,
      boxes: refuse,
      storeBytes: refuse,
      onError: (error) => told.push(error),
    });
    const lines = await linesOf(metrics);
    assert.ok(lines.includes('spoon_event_sockets 6'));
    assert.ok(!lines.some((line) => /^spoon_(boxes\{|terminals |database_bytes )/.test(line)), lines.join('\n'));
    assert.deepEqual(new Set(told), new Set([busy]));
  });

  it('ask every source once, however many ask at a time', async () => {
    let asked = 0;
    const boxes = () => {
      asked++;
      return sources.boxes();
    };
    const metrics = new Metrics({ ...sources, boxes });
    await Promise.all(Array.from({ length: 50 }, () => metrics.render()));
    assert.equal(asked, 1);
  });
});

describe('the listener for metrics', () => {
  const stack = new AsyncDisposableStack();
  after(() => stack.disposeAsync());
  const failed: unknown[] = [];
  const listen = async (metrics: Metrics, port = 0) =>
    stack.use(await listenForMetrics(metrics, { host: '127.0.0.1', port }, (error) => failed.push(error)));

  it('answers one path and nothing else', async () => {
    const { url } = await listen(new Metrics(sources));
    const answer = await fetch(url);
    assert.deepEqual(
      [answer.status, answer.headers.get('content-type')],
      [200, 'text/plain; version=0.0.4; charset=utf-8'],
    );
    assert.match(await answer.text(), /^spoon_info/m);
    assert.equal((await fetch(url, { method: 'POST', body: 'x'.repeat(1e6) })).status, 405);
    for (const other of ['/', '/v1/me', '/metrics/x', '/..%2fmetrics']) {
      assert.equal((await fetch(new URL(other, url))).status, 404, other);
    }
  });

  it('refuses an address that is taken, with the name of the setting', async () => {
    const { url } = await listen(new Metrics(sources));
    await assert.rejects(listen(new Metrics(sources), Number(new URL(url).port)), /SPOON_METRICS_LISTEN/);
  });

  it('says 500 to what went wrong, and why to the log', async () => {
    const metrics = new Metrics(sources);
    const bug = new Error('a bug');
    metrics.render = () => Promise.reject(bug);
    const { url } = await listen(metrics);
    assert.equal((await fetch(url)).status, 500);
    assert.deepEqual(failed, [bug]);
  });
});
