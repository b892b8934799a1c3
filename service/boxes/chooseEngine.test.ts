import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { chooseEngine } from './chooseEngine.ts';

const dockerHost = process.env.SPOON_TEST_DOCKER_HOST;
assert.ok(dockerHost, 'SPOON_TEST_DOCKER_HOST is not set; npm test sets it to a Docker of its own');
const instanceId = crypto.randomUUID();

describe('chooseEngine', () => {
  let stateDir: string;
  before(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'spoon-choose-'));
  });
  after(() => rm(stateDir, { recursive: true }));
  const choose = (wanted: 'auto' | 'docker' | 'process', host: string) =>
    chooseEngine(wanted, { host, instanceId, separatesUsers: true }, { stateDir, instanceId, hidden: [] });

  it('takes Docker when it answers', async () => {
    const { engine, because } = await choose('auto', dockerHost);
    assert.equal(engine.name, 'docker');
    assert.match(because, /^Docker \d+\.\d+.* answers/);
    await engine.close();
  });

  it('takes processes when no Docker answers, and says so', async () => {
    const { engine, because, facts } = await choose('auto', 'unix:///nonexistent/docker.sock');
    assert.equal(engine.name, 'process');
    assert.match(because, /No Docker answers at unix:\/\/\/nonexistent/);
    assert.ok(because.includes(facts.isolation));
    await engine.close();
  });

  it('does not put something else in the place of what was asked for', async () => {
    const isAway = (error: unknown) => error instanceof SpoonError && error.code === 'engine-unavailable';
    await assert.rejects(choose('docker', 'unix:///nonexistent/docker.sock'), isAway);
    const { engine } = await choose('process', dockerHost);
    assert.equal(engine.name, 'process');
    await engine.close();
  });
});
