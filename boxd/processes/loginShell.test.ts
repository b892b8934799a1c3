import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findLoginShell } from './loginShell.ts';

describe('findLoginShell', () => {
  for (const wanted of [
    '/bin/../evil',
    'bash;id',
    'bash',
    '',
    '/bin/bash -c id',
    '/bin/./bash',
    '/bin//bash',
    '/bin/bash\n',
  ]) {
    it(`refuses ${JSON.stringify(wanted)}`, () =>
      assert.throws(() => findLoginShell(wanted), { code: 'request-invalid' }));
  }

  it('starts what /etc/shells lists', () => assert.deepEqual(findLoginShell('/bin/bash'), { shell: '/bin/bash' }));

  it('starts bash and says so where the box has no such shell', () => {
    for (const wanted of ['/usr/bin/no-such-shell', '/usr/bin/env']) {
      const { shell, note } = findLoginShell(wanted);
      assert.equal(shell, '/bin/bash');
      assert.match(note ?? '', new RegExp(wanted));
    }
  });
});
