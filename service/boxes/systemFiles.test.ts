import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { groupText, passwdText, writeSystemFiles } from './systemFiles.ts';

const ada = { username: 'ada', uid: 100001, gid: 100001, shell: '/bin/zsh' };

describe('system files of a box', () => {
  it('name root, nobody and the user', () => {
    assert.equal(
      passwdText(ada),
      'root:x:0:0:root:/root:/usr/sbin/nologin\n' +
        'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' +
        'ada:x:100001:100001:ada:/home/ada:/bin/zsh\n',
    );
    assert.match(groupText(ada), /^ada:x:100001:$/m);
  });

  for (const shell of ['/bin/sh:0', '/bin/sh\nroot::0:0:::']) {
    it(`have no room for a line of one's own (${JSON.stringify(shell)})`, () => {
      assert.throws(() => passwdText({ ...ada, shell }), /colon or a line break/);
    });
  }

  it('are replaced when they change and left alone when they do not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-etc-'));
    try {
      const { passwd } = await writeSystemFiles(join(folder, 'ada'), ada);
      const first = await stat(passwd);
      await writeSystemFiles(join(folder, 'ada'), ada);
      assert.equal((await stat(passwd)).ino, first.ino);
      assert.equal(first.mode & 0o777, 0o644);
      await writeSystemFiles(join(folder, 'ada'), { ...ada, shell: '/bin/bash' });
      assert.notEqual((await stat(passwd)).ino, first.ino);
      assert.match(await readFile(passwd, 'utf8'), /:\/bin\/bash\n$/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
