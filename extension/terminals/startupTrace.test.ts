import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { byFile, inMilliseconds, StartupTrace, traceCommand } from './startupTrace.ts';

/** The real shell, with these start-up files in a home of its own; not as root, from whom bash takes no PS4. */
function profile(files: Record<string, string>, shell = '/bin/bash') {
  const home = mkdtempSync(join(tmpdir(), 'spoon-startup-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
    const [program = '', ...args] = traceCommand;
    const asUser = process.getuid?.() === 0 ? ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups'] : [];
    execFileSync('chmod', ['-R', 'a+rwX', home]);
    const [first = '', ...rest] = [...asUser, program, ...args];
    const env = { PATH: process.env.PATH, HOME: home, SHELL: shell, TMPDIR: home };
    const output = execFileSync(first, rest, { cwd: home, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    const trace = new StartupTrace();
    for (const line of output.split('\n')) trace.feed(line);
    return { home, found: trace.profile() };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

describe('profiling the start of a shell', () => {
  it('says which line of which file takes the time', () => {
    const { home, found } = profile({
      '.bash_profile': 'export A=1\n. ~/.bashrc\n',
      '.bashrc': '# nothing\nfor n in 1 2; do :; done\nsleep 0.3\nslow() { sleep 0.2; }\nslow\n',
    });
    assert.ok(found);
    assert.equal(found.shell, '/bin/bash');
    const [first, second] = found.spent;
    assert.deepEqual([first?.file, first?.line, first?.command], [join(home, '.bashrc'), 3, 'sleep 0.3']);
    assert.ok(first !== undefined && first.ms > 280 && first.ms < 2_000, String(first?.ms));
    assert.deepEqual([second?.line, second?.command], [4, 'sleep 0.2']);
    assert.ok(found.plainMs >= 500 && found.tracedMs >= 500);
    assert.equal(byFile(found.spent)[0]?.file, join(home, '.bashrc'));
  });

  it('says so of a shell that cannot tell', () => {
    assert.throws(() => profile({}, '/bin/sh'), /cannot tell where its time goes/);
  });

  it('reads the profile of fish, which has no lines', () => {
    const trace = new StartupTrace();
    for (const line of [
      'shell/usr/bin/fish',
      'plain5000',
      'traced1 2',
      'Time\tSum\tCommand',
      '40\t90\t> source x',
      '50\t50\t-> y',
    ]) {
      trace.feed(line);
    }
    assert.deepEqual(
      trace.profile()?.spent.map(({ command, ms }) => [command, ms]),
      [
        ['y', 0.05],
        ['source x', 0.04],
      ],
    );
  });

  it('writes times as people read them', () => {
    assert.deepEqual([1234, 42.4, 3.21].map(inMilliseconds), ['1.23 s', '42 ms', '3.2 ms']);
  });
});
