import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultIn } from './dockerImageProbe.ts';

describe('faultIn', () => {
  for (const [said, expected] of [
    [
      "/opt/spoon/bin/node: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.28' not found (required by …)",
      /too old.*GLIBC_2\.28/,
    ],
    ["libstdc++.so.6: version `GLIBCXX_3.4.21' not found (required by …)", /too old.*GLIBCXX_3\.4\.21/],
    [
      'error while loading shared libraries: libstdc++.so.6: cannot open shared object file: No such file',
      /no libstdc\+\+\.so\.6;/,
    ],
    [
      'OCI runtime create failed: exec: "/opt/spoon/bin/node": stat /opt/spoon/bin/node: no such file or directory',
      /no glibc .*musl/,
    ],
  ] as const) {
    it(`names the image and what it lacks: ${said.slice(0, 50)}…`, () => {
      const fault = faultIn('alpine:3', 127, said);
      assert.equal(fault?.code, 'image-unsuitable');
      assert.match(fault.message, /alpine:3/);
      assert.match(fault.message, expected);
    });
  }

  it('blames no image in which boxd runs, or that fails in a way it does not know', () => {
    assert.equal(faultIn('debian', 0, 'whatever: no such file or directory'), undefined);
    assert.equal(faultIn('debian', 1, 'Error: something else'), undefined);
  });
});
