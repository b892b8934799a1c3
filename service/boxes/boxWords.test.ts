import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { withoutHostPaths } from './boxWords.ts';

describe('what a user is told of a failed start', () => {
  for (const [detail, told] of [
    ['/srv/spoon/homes/ada belongs to 0:0. Move it away.', '… belongs to 0:0. Move it away.'],
    ["mount: /srv/.root/home: special device '/srv/homes/a b' is gone", "mount: …: special device '… b' is gone"],
    [
      'Docker says: invalid mount config: bind source path: /var/lib/x',
      'Docker says: invalid mount config: bind source path: …',
    ],
    ['unix:///run/docker.sock is closed', 'unix:… is closed'],
    ['type=bind,source=/srv/homes/ada,target=/home/ada', 'type=bind,source=…,target=…'],
    ['It took 1/2 of its time, and/or more. No / here.', 'It took 1/2 of its time, and/or more. No / here.'],
  ] as const) {
    it(`has no path of the host: ${told}`, () => {
      const error = withoutHostPaths(new SpoonError('box-start-failed', detail));
      assert.ok(error instanceof SpoonError);
      assert.equal(error.code, 'box-start-failed');
      assert.equal(error.detail, told);
    });
  }
});
