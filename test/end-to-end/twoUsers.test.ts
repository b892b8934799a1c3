import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RunningService, testEngines } from '../runningService.ts';

/**
 * What a person in a box tries against the host and against others. Each line prints `refused` or what it got; `%W` stands
 * for the service's working directory, `%O` for the other user's name.
 */
const attempts: readonly (readonly [name: string, script: string])[] = [
  ["another user's home, where it is in a box", 'ls /home/%O'],
  ["another user's home, where it is on the host", 'ls %W/homes/%O'],
  ['the database', 'head -c 16 %W/spoon.db'],
  ["another box's socket", 'ls %W/run/%O'],
  ["the operator's socket", 'ls %W/admin/admin.sock'],
  ["Docker's socket", 'ls /var/run/docker.sock /run/docker.sock'],
  ['a file of the system', 'touch /etc/planted'],
  ['a program of the system', 'touch /usr/bin/planted'],
  ["boxd's own code", 'touch /opt/spoon/planted'],
  ["the service's socket, replaced", 'rm -f /run/spoon/svc.sock && ln -s /etc/passwd /run/spoon/svc.sock'],
  ['a file beside the socket', 'touch /run/spoon/planted'],
  ['the password file', 'echo x >> /etc/passwd'],
  ['the shadow file', 'cat /etc/shadow'],
  ['a mount', 'mount -t tmpfs none /mnt'],
  ['a device', 'mknod /tmp/device c 1 5'],
  ['the memory of the kernel', 'head -c 1 /proc/kcore'],
  ['a process of the host', 'test "$(cat /proc/1/comm)" != systemd && ls /proc/1/root/root'],
  ['a setting of the kernel', 'echo 1 > /proc/sys/kernel/sysrq'],
  ['becoming root', 'su -c id </dev/null'],
];

for (const engine of testEngines) {
  describe(`two users (${engine})`, () => {
    it('cannot reach, read or impersonate each other, nor the host', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await service.addUser('Ada');
      const bob = await service.addUser('Bob');
      await service.put(bob, '.secret', 'of bob\n');
      assert.equal(await service.inBox(bob, 'cat', '.secret'), 'of bob');
      assert.notEqual(await service.inBox(ada, 'id', '-u'), await service.inBox(bob, 'id', '-u'));
      for (const [name, template] of attempts) {
        const script = template.replaceAll('%W', service.workdir).replaceAll('%O', bob.username);
        const done = await service.commandInBox(ada, ['bash', '-c', script]);
        assert.notEqual(done.code, 0, `${name}: ${script} succeeded: ${done.stdout}`);
      }
      assert.equal(
        await service.inBox(
          ada,
          'bash',
          '-c',
          'grep -c . /proc/self/status >/dev/null; grep ^CapEff /proc/self/status | cut -f2',
        ),
        '0000000000000000',
      );
      assert.equal(await service.inBox(ada, 'bash', '-c', 'grep ^NoNewPrivs /proc/self/status | cut -f2'), '1');
      assert.equal(await service.inBox(bob, 'cat', '.secret'), 'of bob');
    });

    it('get the answer of a stranger for what belongs to the other', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await service.addUser('Ada');
      const bob = await service.addUser('Bob');
      await service.put(bob, '.secret', 'of bob\n');
      const foreign = await service.fetch(ada, '/v1/dotfiles/content?path=.secret');
      const unknown = await service.fetch(ada, '/v1/dotfiles/content?path=.nothing');
      assert.equal(foreign.status, 404);
      const plain = async (answer: Response) => ({ ...((await answer.json()) as object), instance: '' });
      assert.deepEqual(await plain(foreign), await plain(unknown));
      const opened = await service.fetch(bob, '/v1/terminals', {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json' },
      });
      const { terminal } = (await opened.json()) as { terminal: { id: string } };
      const askTicket = async (id: string): Promise<unknown> => {
        const answer = await service.fetch(ada, '/v1/tickets', {
          method: 'POST',
          body: JSON.stringify({ kind: 'terminal', id }),
          headers: { 'content-type': 'application/json' },
        });
        return { status: answer.status, ...((await plain(answer)) as object) };
      };
      const random = 'A'.repeat(22);
      for (const id of [terminal.id, random, 'nosuchterminal']) {
        const answer = await service.fetch(ada, `/v1/terminals/${id}`, { method: 'DELETE' });
        assert.equal(answer.status, 404);
      }
      // While the own box is off no terminal can be there, and that is the answer for every one.
      assert.deepEqual(await askTicket(terminal.id), await askTicket(random));
      await service.inBox(ada, 'true');
      const refused = await askTicket(terminal.id);
      assert.deepEqual(refused, await askTicket(random));
      assert.equal((refused as { status: number }).status, 404);
    });
  });
}
