import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import type { BoxSpec } from './engine.ts';
import { boxLayout, type HostTree } from './processLayout.ts';
import { bubblewrapArguments, namespaceScript } from './processScripts.ts';

const spec: BoxSpec = {
  userId: 'u',
  username: 'ada',
  uid: 100_001,
  gid: 100_001,
  shell: '/bin/bash',
  homePath: '/srv/work/homes/ada',
  socketDir: '/srv/work/run/ada',
  boxdDir: '/srv/work/boxd/abc',
  systemFiles: {
    passwd: '/srv/work/etc/ada/passwd',
    group: '/srv/work/etc/ada/group',
    gitconfig: '/srv/work/etc/ada/gitconfig',
  },
  image: '',
  memoryBytes: 1,
  cpus: 1,
  maxProcesses: 64,
};
const host: HostTree = {
  system: [{ name: 'usr' }, { name: 'bin', target: 'usr/bin' }, { name: 'sbin', target: 'usr/sbin' }],
  etc: ['gitconfig', 'group', 'hosts', 'passwd', 'ssl'],
  opt: [{ name: 'go' }, { name: 'spoon' }, { name: 'node', target: '/usr/lib/node' }],
  hidden: ['/srv/work'],
};
const steps = (change: Partial<HostTree> = {}) => boxLayout(spec, { ...host, ...change });
const at = (path: string, change: Partial<HostTree> = {}) => steps(change).filter((step) => step.path === path);

describe('layout of a box without Docker', () => {
  it('has one writable tree of the host: the home', () => {
    const writable = steps().filter((step) => step.kind === 'bind' && !step.readOnly);
    assert.deepEqual(writable, [{ kind: 'bind', source: '/srv/work/homes/ada', path: '/home/ada', readOnly: false }]);
  });

  it('binds nothing of the host but programs, settings and what is meant for this box', () => {
    const sources = steps().flatMap((step) => ('source' in step ? [step.source] : []));
    assert.deepEqual(
      sources.filter((source) => !source.startsWith('/srv/work/')),
      ['/usr', '/etc', '/opt/go'],
    );
  });

  it('has its own passwd, group and gitconfig in place of those of the host', () => {
    for (const name of ['passwd', 'group', 'gitconfig'] as const) {
      assert.deepEqual(at(`/etc/${name}`), [{ kind: 'copy', source: spec.systemFiles[name], path: `/etc/${name}` }]);
    }
    assert.deepEqual(at('/etc/hosts'), [{ kind: 'link', target: '/.etc/hosts', path: '/etc/hosts' }]);
  });

  it('keeps the tools of /opt, and has boxd where the host may have something else', () => {
    assert.deepEqual(at('/opt/node'), [{ kind: 'link', target: '/usr/lib/node', path: '/opt/node' }]);
    assert.deepEqual(at('/opt/spoon'), [{ kind: 'bind', source: spec.boxdDir, path: '/opt/spoon', readOnly: true }]);
  });

  const hiddenPlaces: [string, string, string | undefined][] = [
    ['below a tree that is shown', '/opt/go/work', '/opt/go/work'],
    ['below /usr', '/usr/local/work', '/usr/local/work'],
    ['below /etc', '/etc/spoon/work', '/.etc/spoon/work'],
    ['the tree itself', '/opt/go', undefined],
    ['above it', '/opt', undefined],
  ];
  for (const [name, hidden, covered] of hiddenPlaces) {
    it(`hides a working directory ${name}`, () => {
      const change = { hidden: [hidden] };
      if (covered === undefined) assert.deepEqual(at('/opt/go', change), []);
      else assert.equal(at(covered, change)[0]?.kind, 'tmpfs');
    });
  }

  it('has name servers where the list of them lives below /run', () => {
    const resolvConf = '/run/systemd/resolve/stub-resolv.conf';
    const [step] = at(resolvConf, { resolvConf });
    assert.deepEqual(step, { kind: 'bindFile', source: resolvConf, path: resolvConf });
    assert.deepEqual(at('/etc/resolv.conf', { resolvConf: '/etc/resolv.conf' }), []);
  });

  it('becomes a script without anything in a path being taken for a command', () => {
    const odd = { ...spec, homePath: "/srv/it's $(touch /tmp/x) `a`\\/ada" };
    const options = { rootDir: "/srv/o'dd/root", cgroupFiles: [], command: ['/opt/spoon/bin/node', "it's"] };
    const script = namespaceScript(odd, boxLayout(odd, host), options);
    execFileSync('/bin/sh', ['-n', '-c', script]);
    const mount = script.split('\n').find((line) => line.startsWith('mount') && line.includes('/home/ada'));
    const words = execFileSync('/bin/sh', ['-c', `set -- ${mount}; printf '%s\\n' "$@"`], { encoding: 'utf8' }).split(
      '\n',
    );
    assert.deepEqual(words.slice(3, 5), [odd.homePath, "/srv/o'dd/root/home/ada"]);
  });

  it('is the same for bubblewrap', () => {
    const all = bubblewrapArguments('ada', steps(), ['true']).join(' ');
    assert.match(all, /--bind \/srv\/work\/homes\/ada \/home\/ada/);
    assert.match(all, /--ro-bind \/srv\/work\/run\/ada \/run\/spoon/);
    assert.match(all, /--symlink usr\/bin \/bin/);
    assert.match(all, /--remount-ro \/ /);
  });
});
