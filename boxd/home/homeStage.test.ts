import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ensureHome } from './homeStage.ts';

describe('the home stage', () => {
  const base = mkdtempSync(join(tmpdir(), 'spoon-home-'));
  after(() => rmSync(base, { recursive: true }));
  let count = 0;
  function makeHome(files: Record<string, string> = {}): string {
    const home = join(base, `home${++count}`);
    mkdirSync(home, { mode: 0o700 });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
    return home;
  }
  function login(home: string, script: string): string {
    const env = { HOME: home, PATH: process.env.PATH ?? '' };
    return execFileSync('bash', ['-lic', script], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  it('makes what a login shell needs, in a fresh home, and says so', () => {
    const home = makeHome();
    const report = ensureHome(home);
    assert.deepEqual([report.name, report.state, report.detail], ['home', 'ok', undefined]);
    assert.ok(report.durationMs >= 0 && statSync(join(home, 'Code')).isDirectory());
    assert.equal(statSync(join(home, '.spoon')).mode & 0o777, 0o700);
    writeFileSync(join(home, '.bashrc'), 'X=from-bashrc');
    assert.equal(login(home, 'echo $X'), 'from-bashrc\n');
  });

  it('brings in ~/.profile and ~/.bashrc, each once', () => {
    const count = 'N=$((N + 1))';
    for (const [profile, expected] of [
      ['. ~/.bashrc; P=profile', 'profile 1\n'],
      ['P=profile', 'profile 1\n'],
    ] as const) {
      const home = makeHome({ '.profile': profile, '.bashrc': count });
      ensureHome(home);
      assert.equal(login(home, 'echo $P $N'), expected);
    }
  });

  it('touches nothing that the user has', () => {
    for (const name of ['.bash_profile', '.bash_login']) {
      const home = makeHome({ [name]: 'mine' });
      mkdirSync(join(home, 'Code'), { mode: 0o750 });
      ensureHome(home);
      assert.equal(readFileSync(join(home, name), 'utf8'), 'mine');
      assert.equal(existsSync(join(home, '.bash_profile')), name === '.bash_profile');
      assert.equal(statSync(join(home, 'Code')).mode & 0o777, 0o750);
    }
    const home = makeHome();
    symlinkSync('nowhere', join(home, '.bash_profile'));
    ensureHome(home);
    assert.ok(!existsSync(join(home, 'nowhere')));
  });

  it('closes ~/.spoon to others, which holds backups of private files', () => {
    const home = makeHome();
    mkdirSync(join(home, '.spoon'));
    chmodSync(join(home, '.spoon'), 0o755);
    ensureHome(home);
    assert.equal(statSync(join(home, '.spoon')).mode & 0o777, 0o700);
  });

  it('reports what is wrong instead of failing', () => {
    assert.match(ensureHome(join(base, 'nowhere')).detail ?? '', /cannot be entered/);
    const home = makeHome({ Code: 'a file' });
    const { state, detail } = ensureHome(home);
    assert.equal(state, 'failed');
    assert.match(detail ?? '', /Code is not a folder/);
    const linked = makeHome();
    symlinkSync('/etc', join(linked, '.spoon'));
    assert.match(ensureHome(linked).detail ?? '', /leads out of the home/);
  });
});
