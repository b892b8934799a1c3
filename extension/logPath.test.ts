import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logPath } from './logPath.ts';

describe('a path in the log', () => {
  it('names no file and no secret', () => {
    assert.equal(logPath('https://host.test/v1/dotfiles/content?path=.netrc'), '/v1/dotfiles/content');
    assert.equal(logPath('https://host.test/v1/secrets/BANK_KEY?spoon=api'), '/v1/secrets/…');
    assert.equal(logPath('https://host.test/v1/secrets'), '/v1/secrets');
    assert.equal(logPath('https://host.test/v1/jobs/123/log'), '/v1/jobs/123/log');
  });
});
