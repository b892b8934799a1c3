import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SpoonError } from '../protocol/errors.ts';
import { SealedValues } from '../service/secrets/sealedValues.ts';
import { TestHttpSide } from '../test/fixtures/httpSide.fixture.ts';
import { ApiClient } from './apiClient.ts';
import { type SealKeyPins, sealForService, sealValue, trustSealKey } from './sealing.ts';

const use = 'repository/token';
const code = (expected: string) => (error: unknown) => error instanceof SpoonError && error.code === expected;

class MemoryPins implements SealKeyPins {
  readonly kept = new Map<string, string>();
  async get(name: string): Promise<string | undefined> {
    return this.kept.get(name);
  }
  async set(name: string, key: string): Promise<void> {
    this.kept.set(name, key);
  }
}

describe('sealing for a service', () => {
  let side: TestHttpSide;
  let api: ApiClient;
  let values: SealedValues;
  before(async () => {
    side = await TestHttpSide.start();
    const token = await side.tokenOf('ada');
    api = new ApiClient({ url: side.url, token: () => token, clientId: 'test', fetch });
    values = new SealedValues({ store: side.store, keyring: side.keyring, now: Date.now });
  });
  after(() => side[Symbol.asyncDispose]());

  it('gives what the service can open, and overwrites the value', async () => {
    const value = Buffer.from('token-canary-1');
    const sealed = await sealForService({ api, pins: new MemoryPins(), username: 'ada', use, value });
    assert.deepEqual(value, Buffer.alloc(14));
    assert.ok(!Buffer.from(sealed, 'base64').includes('canary'));
    let seen = '';
    const inspect = (bytes: Uint8Array) => {
      seen = Buffer.from(bytes).toString();
    };
    await values.check(side.ada.id, use, Buffer.from(sealed, 'base64'), { maxBytes: 100, inspect });
    assert.equal(seen, 'token-canary-1');
  });

  it('asks a person when the key is another one than before, and takes it when told', async () => {
    const pins = new MemoryPins();
    const request = () => ({ api, pins, username: 'ada', use, value: Buffer.from('x') }) as const;
    await sealForService(request());
    await sealForService(request());
    const rotated = await api.call('rotateSealKey');
    await assert.rejects(sealForService(request()), (error) => {
      assert.ok(code('seal-key-changed')(error));
      assert.equal((error as SpoonError).extra.keyId, rotated.keyId);
      return true;
    });
    await assert.rejects(trustSealKey(request(), 'A'.repeat(43)), code('seal-key-changed'));
    assert.deepEqual(await trustSealKey(request(), rotated.publicKey), rotated);
    await sealForService(request());
    // Somebody else at the same service has a key of their own, first seen here.
    await sealForService({ ...request(), username: 'bo' });
    assert.equal(pins.kept.size, 2);
  });

  it('refuses a key whose id is that of another', async () => {
    const { publicKey } = await api.call('sealKey');
    await assert.rejects(
      sealValue({ keyId: '00000000', publicKey }, use, Buffer.from('x')),
      code('service-answer-invalid'),
    );
  });
});
