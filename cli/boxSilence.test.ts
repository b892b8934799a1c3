import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { ApiClient } from '../client/apiClient.ts';
import { SpoonError } from '../protocol/errors.ts';
import { tellSilence } from './boxSilence.ts';

describe('what spoonctl says of a box that does not answer', () => {
  let answers: (() => unknown)[];
  let said: string[];
  let quiet: () => void;
  beforeEach(() => {
    said = [];
    mock.timers.enable({ apis: ['setInterval'] });
    const call = async () => answers.shift()?.() ?? { silentMs: 2_000 };
    quiet = tellSilence({ call } as unknown as ApiClient, (text) => said.push(text));
  });
  afterEach(() => {
    quiet();
    mock.timers.reset();
  });
  async function seconds(count: number): Promise<void> {
    for (let second = 0; second < count; second++) {
      mock.timers.tick(1_000);
      await new Promise(setImmediate);
    }
  }

  it('comes once, within 3 s, and names what can be done', async () => {
    answers = [() => ({})];
    await seconds(3);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /does not answer.*spoonctl box restart/);
    await seconds(5);
    assert.equal(said.length, 1);
  });

  it('does not come for a box that answers, for a service that does not, or afterwards', async () => {
    const refuse = () => {
      throw new SpoonError('service-unreachable');
    };
    answers = [() => ({}), refuse];
    await seconds(2);
    quiet();
    await seconds(5);
    assert.deepEqual(said, []);
  });
});
