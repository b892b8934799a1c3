import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseLocalEngine } from './engineChoice.ts';

const running = { version: '29.5.1' };
const away = { version: undefined, why: 'ENOENT' };
const made = { ensureImage: async () => 'spoon-box:1' };
const unmade = {
  ensureImage: async (): Promise<string> => {
    throw new Error('no registry');
  },
};

describe('the engine that `up` takes', () => {
  it('is Docker with an image, where it answers', async () => {
    assert.deepEqual(await chooseLocalEngine('auto', running, false, made), { engine: 'docker', image: 'spoon-box:1' });
  });

  it('leaves an image that was named to the service', async () => {
    assert.deepEqual(await chooseLocalEngine('auto', running, true, unmade), { engine: 'docker' });
  });

  it('is processes where Docker does not answer, and says why', async () => {
    const { engine, note } = await chooseLocalEngine('auto', away, false, made);
    assert.equal(engine, 'process');
    assert.match(note ?? '', /ENOENT/);
  });

  it('is processes where no image can be made, and says why', async () => {
    const { engine, note } = await chooseLocalEngine('auto', running, false, unmade);
    assert.equal(engine, 'process');
    assert.match(note ?? '', /no registry/);
  });

  it('is what was asked for, or nothing', async () => {
    assert.deepEqual(await chooseLocalEngine('process', running, false, made), { engine: 'process' });
    await assert.rejects(chooseLocalEngine('docker', away, false, made), { code: 'engine-unavailable' });
    await assert.rejects(chooseLocalEngine('docker', running, false, unmade), { code: 'image-missing' });
  });
});
