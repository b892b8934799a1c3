import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Bench, type EngineUnderTest, until } from './engineBench.conformance.ts';

/** What a box must be to the person in it, and must not be to anybody else. */
export function boxIsolation(subject: EngineUnderTest): void {
  const { promises } = subject;

  describe(`${subject.title}: inside a box`, () => {
    let bench: Bench;
    let canaries: Server;
    before(async () => {
      bench = await Bench.make(subject);
      for (const [username, uid] of [
        ['ada', 100_001],
        ...(promises.ownUid ? [['grace', 100_002] as const] : []),
      ] as const) {
        await bench.engine.start(await bench.spec(username, uid));
        await bench.link(username).whenDialled(20_000);
        await bench.output(username, `echo secret of ${username} > ~/secret`);
      }
      await writeFile(join(bench.folder, 'spoon.db'), 'database');
      await chmod(join(bench.folder, 'spoon.db'), 0o644);
      await mkdir(join(bench.folder, 'admin'));
      canaries = createServer((socket) => socket.end('reached'));
      canaries.listen({ path: join(bench.folder, 'admin', 'admin.sock'), readableAll: true, writableAll: true });
      await once(canaries, 'listening');
    });
    after(async () => {
      await bench.close();
      canaries.close();
    });

    it('is the user, in the own home', async () => {
      const seen = await bench.output('ada', 'id -u; id -G; whoami; pwd; echo ~; echo $USER $SHELL $SPOON; ls -d ~');
      const [uid, groups, name, cwd, tilde, environment] = seen.split('\n');
      const spec = await bench.spec('ada', 100_001);
      assert.equal(uid, String(spec.uid));
      if (promises.ownUid) assert.equal(groups, String(spec.gid));
      assert.equal(environment, 'ada /bin/bash 1');
      const home = promises.isolation ? '/home/ada' : spec.homePath;
      assert.deepEqual([cwd, tilde], [home, home]);
      if (promises.isolation) assert.equal(name, 'ada');
    });

    if (!promises.isolation) return;

    it('has a user for Node, ssh and git', async () => {
      const { uid, gid } = await bench.spec('ada', 100_001);
      const info = await bench.output('ada', '/opt/spoon/bin/node -p "JSON.stringify(os.userInfo())"');
      assert.deepEqual(JSON.parse(info), { uid, gid, username: 'ada', homedir: '/home/ada', shell: '/bin/bash' });
      // git looks for a name in passwd and for a domain in the host's name.
      const commit =
        'git init -q ~/r && cd ~/r && git commit -q --allow-empty -m x 2>/dev/null && git log --format="%an <%ae> %D"';
      assert.equal(await bench.output('ada', commit), 'ada <ada@spoon.internal> HEAD -> main');
    });

    it('reaps what its parents have left behind', async () => {
      await bench.output('ada', 'for i in 1 2 3; do sh -c "sleep 0.05 &"; done');
      const zombies = () => bench.output('ada', 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l');
      await until(5_000, async () => ((await zombies()) === '0' ? true : undefined));
    });

    it('sees only itself', async () => {
      assert.equal(await bench.output('ada', 'ls /home'), 'ada');
      assert.equal(await bench.output('ada', 'ls /run/spoon'), 'svc.sock');
      assert.ok(Number(await bench.output('ada', 'ls /proc | grep -c "^[0-9]"')) < 12);
      assert.equal(
        await bench.output('ada', 'hostname 2>/dev/null || cat /proc/sys/kernel/hostname'),
        'spoon.internal',
      );
    });

    it('has room in /tmp, /var/tmp and /dev/shm, and runs programs from /tmp', async () => {
      const script = 'for d in /tmp /var/tmp /dev/shm; do touch $d/x || exit 1; done; cp /bin/true /tmp/t && /tmp/t';
      await bench.output('ada', script);
    });

    for (const [act, script] of forbiddenActs) {
      it(`is refused to ${act}`, async () => {
        const { code, stdout } = await bench.sh(
          'ada',
          script.replaceAll('WORKDIR', bench.folder).replaceAll('HOSTPID', String(process.pid)),
        );
        assert.notEqual(code, 0, `it could: ${stdout}`);
      });
    }

    if (promises.ownUid) {
      it('cannot hand its privileges back: no capabilities, and no new ones', async () => {
        const status = await bench.output('ada', 'grep -E "^(Cap|NoNewPrivs|Groups)" /proc/self/status');
        const none = '0000000000000000';
        assert.match(
          status,
          new RegExp(`CapInh:\t${none}\nCapPrm:\t${none}\nCapEff:\t${none}\nCapBnd:\t${none}\nCapAmb:\t${none}`),
        );
        assert.match(status, /NoNewPrivs:\t1/);
      });

      it('keeps boxes from each other', async () => {
        for (const [own, other] of [
          ['ada', 'grace'],
          ['grace', 'ada'],
        ] as const) {
          assert.equal(await bench.output(own, 'cat ~/secret'), `secret of ${own}`);
          assert.notEqual((await bench.sh(own, `cat /home/${other}/secret`)).code, 0);
          assert.notEqual((await bench.sh(own, `ls ${bench.folder}/homes/${other}`)).code, 0);
        }
      });
    }
  });
}

/** What a box must not be able to do, as a script that succeeds where it can (`security.md` section 7, box isolation). */
const forbiddenActs: [string, string][] = [
  ["read the service's database", 'cat WORKDIR/spoon.db'],
  ['see the working directory', 'ls WORKDIR | grep .'],
  ["see other users' sockets", 'ls WORKDIR/run | grep .'],
  ['reach the admin socket', connect('WORKDIR/admin/admin.sock')],
  ["reach Docker's socket", `${connect('/var/run/docker.sock')} || ${connect('/run/docker.sock')}`],
  ['remove its own socket', 'rm -f /run/spoon/svc.sock && ! ls /run/spoon/svc.sock'],
  ['replace its own socket by a link', 'mv /run/spoon/svc.sock /run/spoon/x || ln -sf /dev/null /run/spoon/svc.sock'],
  ['move the directory of its socket away', 'mv /run/spoon /run/x'],
  ["fill the host's disk through that directory", 'touch /run/spoon/x'],
  ['change boxd', 'touch /opt/spoon/x || echo x >> /opt/spoon/boxd.js || rm -f /opt/spoon/boxd.js'],
  ['write to /etc', 'touch /etc/x || echo x >> /etc/passwd || rm /etc/passwd'],
  ['write to /usr', 'touch /usr/x || touch /usr/bin/x'],
  ['write to /', 'touch /x || mkdir /home/other'],
  ['read shadow', 'cat /etc/shadow'],
  ['enter /root', 'ls /root | grep .'],
  ['change the host through /proc', 'echo 1 > /proc/sys/kernel/panic || echo b > /proc/sysrq-trigger'],
  ["read the kernel's memory", 'head -c 1 /proc/kcore || head -c 1 /dev/mem'],
  ['write to /sys', 'touch /sys/x || echo 0 > /sys/kernel/uevent_seqnum'],
  [
    'change its own limits',
    'for f in $(find /sys/fs/cgroup -name "*.max" -o -name "*limit*" 2>/dev/null); do echo max > $f && exit 0; done; false',
  ],
  ['mount', 'mount -t tmpfs none /tmp'],
  ['unmount', 'umount /run/spoon || umount -l /etc || umount -l /'],
  ['make a device', 'mknod /tmp/d b 254 0'],
  ["open the host's disk", 'for d in /dev/vda /dev/sda /dev/nvme0n1; do head -c 1 $d && exit 0; done; false'],
  ['see a process of the host', 'kill -0 HOSTPID || ls /proc/HOSTPID'],
  ['become root', 'su -c true || sudo -n true || setpriv --reuid 0 true'],
  ['give a file away', 'touch ~/f && chown 0 ~/f'],
  ['set the clock', 'date -s @0'],
  ['change the host name', 'hostname x || echo x > /proc/sys/kernel/hostname'],
  ['load a kernel module', 'insmod /x.ko || modprobe dummy'],
];

function connect(path: string): string {
  return `/opt/spoon/bin/node -e 'net.connect("${path}").on("connect", () => process.exit(0)).on("error", () => process.exit(1))'`;
}
