import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from '../protocol/errors.ts';
import type { Engine } from './boxes/engine.ts';
import { EngineHealth } from './engines.ts';

const facts = { version: '1', isolation: '', separatesUsers: true, problems: ['It is old.'] };

function healthOf(name: Engine['name'], imageId: Engine['imageId'], probe: Engine['probe'] = async () => facts) {
  return new EngineHealth({ name, probe, imageId }, 'spoon-box:latest');
}

describe('the health of the engine', () => {
  const old = { about: 'engine', state: 'warning', text: 'It is old.' };

  it('is what it lacks', async () => {
    assert.deepEqual(await healthOf('docker', async () => 'sha256:1').findings(), [old]);
  });

  it('has an image that is not there, where there are images', async () => {
    const none = async () => undefined;
    const [first, image, ...rest] = await healthOf('docker', none).findings();
    assert.deepEqual([first, image?.about, image?.state, rest], [old, 'image', 'failed', []]);
    assert.match(image?.text ?? '', /no image spoon-box:latest: no box starts/);
    assert.deepEqual(await healthOf('process', none).findings(), [old]);
  });

  it('is that it is away, also where it goes away in between', async () => {
    const away = async () => {
      throw new SpoonError('engine-unavailable');
    };
    for (const health of [healthOf('docker', away), healthOf('docker', async () => undefined, away)]) {
      assert.deepEqual([await health.isAway(), (await health.findings()).length], [true, 1]);
    }
  });
});
