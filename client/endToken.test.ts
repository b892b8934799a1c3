import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SpoonError } from '../protocol/errors.ts';
import { ProtocolService } from '../test/fixtures/protocolService.fixture.ts';
import { ApiClient } from './apiClient.ts';
import { endToken } from './endToken.ts';

describe('ending the token of a sign-in', () => {
  let service: ProtocolService;
  let api: ApiClient;

  before(async () => {
    service = await ProtocolService.start();
    api = new ApiClient({ url: service.url, token: () => 'the-token', clientId: 'window-1', fetch });
  });
  after(() => service[Symbol.asyncDispose]());

  it('revokes it with itself', async () => {
    service.answer('revokeToken', () => undefined);
    assert.equal(await endToken(api, 'abc'), undefined);
    const [{ params, headers } = assert.fail('nothing was asked')] = service.received;
    assert.deepEqual([params, headers.authorization], [{ id: 'abc' }, 'Bearer the-token']);
  });

  for (const code of ['unauthenticated', 'token-expired', 'user-disabled', 'not-found'] as const) {
    it(`is content with one that has ended already: ${code}`, async () => {
      service.answer('revokeToken', () => {
        throw new SpoonError(code);
      });
      assert.equal(await endToken(api, 'abc'), undefined);
    });
  }

  it('says why it may live on, and does not wait for ever', async () => {
    service.answer('revokeToken', () => {
      throw new SpoonError('store-busy');
    });
    assert.equal((await endToken(api, 'abc'))?.code, 'store-busy');
    service.answer('revokeToken', () => new Promise(() => undefined));
    assert.match((await endToken(api, 'abc'))?.message ?? '', /did not answer within 3 s/);
    await service.pause();
    assert.equal((await endToken(api, 'abc'))?.code, 'service-unreachable');
  });
});
