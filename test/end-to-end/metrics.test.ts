import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

describe('the metrics of a service in use', { timeout: 120_000 }, () => {
  let side: TestHttpSide;
  let token: string;
  let admin: string;
  before(async () => {
    side = await TestHttpSide.start();
    await side.users.create({ displayName: 'Canary' });
    token = await side.tokenOf('canary');
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/tokens', { name: 'canary-token' });
    admin = String(body.token);
  });
  after(() => side[Symbol.asyncDispose]());

  /** As they are once what was cached is old, which a second makes it. */
  const scrape = async (until: RegExp): Promise<string> => {
    for (;;) {
      const response = await side.call('GET', '/metrics', admin);
      assert.equal(response.status, 200);
      const text = await response.text();
      if (until.test(text)) return text;
      await delay(100);
    }
  };
  /** Which requests are counted, without how many. */
  const requestsIn = (text: string) => text.match(/^spoon_http_request_duration_seconds_count\{.*\}/gm);

  it('are for administrators', async () => {
    assert.equal((await side.call('GET', '/metrics')).status, 401);
    assert.equal((await side.call('GET', '/metrics', token)).status, 403);
  });

  it('have the boxes, terminals and requests, and nothing that a user wrote or is called', async () => {
    const secret = Buffer.from('canary-content');
    await side.json('PUT', '/v1/dotfiles/content?path=.canary-file', token, secret);
    await side.json('POST', '/v1/terminals', token, { columns: 80, rows: 24 });
    await side.call('GET', '/canary-path?canary-query=1', token);
    await side.call('GET', '/v1/terminals/canary-id/attach', token);
    await side.call('DELETE', '/v1/terminals/canary-id', token);
    const text = await scrape(/^spoon_terminals 1$/m);
    assert.match(text, /^spoon_boxes\{state="running"\} 1$/m);
    assert.match(text, /_count\{method="PUT",route="\/v1\/dotfiles\/content",status="200"\} 1$/m);
    assert.match(text, /_count\{method="any",route="none",status="404"\} 1$/m);
    assert.match(text, /^spoon_last_backup_timestamp_seconds 0$/m);
    assert.match(text, /^spoon_database_bytes [1-9]/m);
    assert.doesNotMatch(text, /canary/i);
    assert.ok(!text.includes(side.folder));
  });

  it('do not grow with what is asked for', async () => {
    const ask = async (what: string) => {
      await side.call('GET', `/nothing-${what}`, token);
      await side.call('DELETE', `/v1/terminals/none-${what}`, token);
    };
    await ask('at-first');
    const before = requestsIn(await scrape(/_count\{method="DELETE",route="\/v1\/terminals\/:id",status="404"\} 2$/m));
    for (let count = 0; count < 20; count++) await ask(String(count));
    const after = requestsIn(await scrape(/_count\{method="DELETE",route="\/v1\/terminals\/:id",status="404"\} 22$/m));
    assert.deepEqual(after, before);
  });
});
