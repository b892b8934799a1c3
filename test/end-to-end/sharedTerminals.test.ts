import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import type { AuditEntry } from '../../protocol/audit.ts';
import type { Share, ShareList } from '../../protocol/shares.ts';
import { closeCode } from '../../protocol/terminalFrames.ts';
import type { TerminalList } from '../../protocol/terminals.ts';
import { operatorCall, TestHttpSide, upgradeStatus } from '../fixtures/httpSide.fixture.ts';
import { PersonsMachine } from '../fixtures/spoonctl.fixture.ts';

/** A guest's or an owner's end, with what came so far. */
class Viewer {
  readonly socket: WebSocket;
  text = '';
  closed: { code: number } | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.text += data.toString('utf8');
    });
    socket.on('close', (code) => {
      this.closed = { code };
    });
  }

  async attach(size = { columns: 80, rows: 24 }): Promise<this> {
    if (this.socket.readyState !== this.socket.OPEN) await once(this.socket, 'open');
    this.socket.send(JSON.stringify({ type: 'attach', ...size, credit: 65_536 }));
    return this;
  }

  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 30_000;
    while (!(await condition())) {
      assert.ok(performance.now() < deadline, `not within 30 s; it shows ${JSON.stringify(this.text)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async shows(text: string): Promise<void> {
    await this.until(() => this.text.includes(text));
  }

  async ends(): Promise<number> {
    await this.until(() => this.closed !== undefined);
    return this.closed?.code ?? 0;
  }
}

describe('a terminal that is shared', { timeout: 300_000 }, () => {
  let side: TestHttpSide;
  let ada: string;
  let bo: string;
  let terminal: string;
  let owner: Viewer;
  before(async () => {
    side = await TestHttpSide.start();
    ada = await side.tokenOf('ada');
    bo = await side.tokenOf('bo');
  });
  after(() => side[Symbol.asyncDispose]());

  async function open(): Promise<void> {
    const opened = await side.json<{ terminal: { id: string }; ticket: string }>('POST', '/v1/terminals', ada, {
      columns: 90,
      rows: 20,
      safe: true,
    });
    terminal = opened.terminal.id;
    owner = await new Viewer(side.socket(`/v1/terminals/${terminal}/attach`, opened.ticket)).attach({
      columns: 90,
      rows: 20,
    });
  }
  const type = (viewer: Viewer, text: string) => viewer.socket.send(Buffer.from(text));
  const share = (body: object = {}) =>
    side.json<Share>('POST', `/v1/terminals/${terminal}/shares`, ada, { with: 'bo', ...body });
  const ticketFor = async (id: string, token = bo) =>
    (await side.json<{ ticket: string }>('POST', `/v1/shares/${id}/ticket`, token)).ticket;
  const guestOf = async ({ id }: Share) => new Viewer(side.socket(`/v1/shares/${id}/attach`, await ticketFor(id)));
  const sizeOf = async () => {
    const { terminals } = await side.json<TerminalList>('GET', '/v1/terminals', ada);
    const found = terminals.find(({ id }) => id === terminal);
    return [found?.columns, found?.rows];
  };
  const shares = (token: string) => side.json<ShareList>('GET', '/v1/shares', token);

  it('is seen by the guest, who has no say in it, and the owner sees that', async () => {
    await open();
    const made = await share();
    assert.deepEqual([made.owner, made.guest, made.write, made.watching], ['ada', 'bo', false, 0]);
    const guest = await (await guestOf(made)).attach({ columns: 20, rows: 5 });
    type(owner, 'echo seen-$((40+2))\n');
    await guest.shows('seen-42');
    guest.socket.send(JSON.stringify({ type: 'resize', columns: 20, rows: 5 }));
    type(guest, 'echo typed-by-the-guest\n');
    // Behind what the guest has sent, on the way that both take.
    guest.socket.ping();
    await once(guest.socket, 'pong');
    type(owner, 'echo after-$((40+3))\n');
    await owner.shows('after-43');
    assert.ok(!owner.text.includes('typed-by'));
    assert.deepEqual(await sizeOf(), [90, 20]);
    assert.equal((await shares(ada)).given[0]?.watching, 1);
    assert.equal((await shares(bo)).received[0]?.owner, 'ada');
    guest.socket.close();
    await guest.ends();
    await owner.until(async () => (await shares(ada)).given[0]?.watching === 0);
  });

  it('is typed into by a guest who may, and sized', async () => {
    const guest = await (await guestOf(await share({ write: true }))).attach({ columns: 70, rows: 15 });
    type(guest, 'echo guest-$((40+4))\n');
    await owner.shows('guest-44');
    await guest.shows('guest-44');
    assert.deepEqual(await sizeOf(), [70, 15]);
    guest.socket.close();
  });

  it('opens nothing else to the guest: no other terminal, no other way, nothing of the box', async () => {
    const made = await share();
    const other = await side.json<{ terminal: { id: string } }>('POST', '/v1/terminals', ada, { safe: true });
    const refusal = async (path: string, ticket: string) => upgradeStatus(side.socket(path, ticket));
    assert.equal(await refusal(`/v1/shares/${other.terminal.id}/attach`, await ticketFor(made.id)), 401);
    assert.equal(await refusal(`/v1/terminals/${terminal}/attach`, await ticketFor(made.id)), 401);
    assert.equal(await refusal(`/v1/terminals/${made.id}/attach`, await ticketFor(made.id)), 401);
    for (const path of ['/v1/events', '/v1/files/watch', `/v1/jobs/${made.id}/log`]) {
      assert.notEqual(await refusal(path, await ticketFor(made.id)), 101, path);
    }
    for (const [method, path, body] of [
      ['DELETE', `/v1/terminals/${terminal}`, undefined],
      ['POST', '/v1/tickets', { kind: 'terminal', id: terminal }],
      ['POST', `/v1/terminals/${terminal}/shares`, { with: 'bo' }],
    ] as const) {
      assert.notEqual((await side.call(method, path, bo, body)).status, 200, path);
    }
    const { terminals } = await side.json<TerminalList>('GET', '/v1/terminals', bo);
    assert.deepEqual(terminals, []);
    assert.equal((await side.call('POST', `/v1/shares/${made.id}/ticket`, ada)).status, 404, 'the owner is no guest');
  });

  it('takes a ticket once', async () => {
    const made = await share();
    const ticket = await ticketFor(made.id);
    assert.equal(await upgradeStatus(side.socket(`/v1/shares/${made.id}/attach`, ticket)), 101);
    assert.equal(await upgradeStatus(side.socket(`/v1/shares/${made.id}/attach`, ticket)), 401);
  });

  it('is cut off from the guest when the owner ends it, also a ticket that is still unused', async () => {
    const made = await share();
    const guest = await (await guestOf(made)).attach();
    const unused = await ticketFor(made.id);
    await side.json('DELETE', `/v1/shares/${made.id}`, ada);
    assert.equal(await guest.ends(), closeCode.unshared);
    const late = new Viewer(side.socket(`/v1/shares/${made.id}/attach`, unused));
    assert.equal(await late.ends(), closeCode.ended);
    assert.equal((await side.call('POST', `/v1/shares/${made.id}/ticket`, bo)).status, 404);
  });

  it('is over when its time is, and nobody can lengthen that in the database', async () => {
    const made = await share({ lifeMs: 60_000 });
    const { db } = side.store;
    for (const change of [{ expires_ms: Date.now() + 9e9 }, { may_write: 1 as const }, { guest_id: side.ada.id }]) {
      const before = await db
        .selectFrom('terminal_shares')
        .selectAll()
        .where('id', '=', made.id)
        .executeTakeFirstOrThrow();
      await db.updateTable('terminal_shares').set(change).where('id', '=', made.id).execute();
      for (const token of [bo, ada]) {
        assert.equal((await side.call('POST', `/v1/shares/${made.id}/ticket`, token)).status, 404);
      }
      await db.updateTable('terminal_shares').set(before).where('id', '=', made.id).execute();
    }
    assert.equal((await side.call('POST', `/v1/shares/${made.id}/ticket`, bo)).status, 200);
    for (const lifeMs of [0, 59_999, 24 * 60 * 60 * 1000 + 1]) {
      const answer = await side.call('POST', `/v1/terminals/${terminal}/shares`, ada, { with: 'bo', lifeMs });
      assert.equal(answer.status, 422, String(lifeMs));
    }
  });

  it('is refused for nobody, oneself, and what is not one’s own', async () => {
    const code = async (id: string, token: string, guest: string) => {
      const answer = await side.call('POST', `/v1/terminals/${id}/shares`, token, { with: guest });
      return ((await answer.json()) as { code: string }).code;
    };
    assert.equal(await code(terminal, ada, 'nobody-here'), 'share-refused');
    assert.equal(await code(terminal, ada, 'ada'), 'share-refused');
    assert.equal(await code(terminal, bo, 'ada'), 'not-found');
    assert.equal(await code('x'.repeat(22), ada, 'bo'), 'not-found');
  });

  it('ends for the guest with the shell, with the guest’s token, and when either is disabled', async () => {
    const token = await side.tokenOf('bo');
    const made = await share();
    const byToken = new Viewer(side.socket(`/v1/shares/${made.id}/attach`, await ticketFor(made.id, token)));
    await byToken.attach();
    const { tokens } = await side.json<{ tokens: { id: string }[] }>('GET', '/v1/tokens', token);
    await side.json('DELETE', `/v1/tokens/${tokens[0]?.id}`, token);
    assert.equal(await byToken.ends(), closeCode.revoked);

    const atTheEnd = await (await guestOf(made)).attach();
    await side.json('DELETE', `/v1/terminals/${terminal}`, ada);
    assert.ok(new Set<number>([closeCode.normal, closeCode.ended]).has(await atTheEnd.ends()));

    await open();
    const watching = await (await guestOf(await share())).attach();
    await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/bo/disable');
    assert.ok(new Set<number>([closeCode.revoked, closeCode.unshared]).has(await watching.ends()));
    assert.deepEqual((await shares(ada)).given, []);
    await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/bo/enable');
    bo = await side.tokenOf('bo');
    const again = await (await guestOf(await share())).attach();
    await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/disable');
    assert.equal(await again.ends(), closeCode.unshared);
    assert.deepEqual((await shares(bo)).received, []);
  });

  it('is given, listed and ended by spoonctl', async () => {
    await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/enable');
    ada = await side.tokenOf('ada');
    await open();
    await using machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: side.url, SPOON_TOKEN: ada };
    const command = ['terminals', 'share', terminal, '--with', 'bo', '--for', '90s', '--json'];
    const made = JSON.parse((await machine.run(command)).stdout.toString()) as Share;
    assert.deepEqual([made.guest, made.write, made.expiresMs - made.createdMs], ['bo', false, 90_000]);
    const listed = (await machine.run(['terminals', 'shares'])).stdout.toString();
    assert.match(listed, new RegExp(`${made.id} +ada +bo +read .* - +${terminal}`));
    assert.equal((await machine.run(['terminals', 'unshare', made.id])).code, 0);
    assert.deepEqual((await shares(bo)).received, []);
    assert.equal((await machine.run(['terminals', 'watch', made.id])).code, 2, 'not without a terminal');
  });

  it('is in the audit: who shared what with whom, who watched, and its end', async () => {
    const { body } = await operatorCall(side.adminSocket, 'GET', '/v1/admin/audit?limit=1000');
    const entries = body.entries as AuditEntry[];
    const of = (event: string) => entries.filter((entry) => entry.event === event);
    assert.ok(
      of('terminal.share').some(
        ({ object, actor }) => actor.username === 'ada' && /with bo, to read$/.test(object ?? ''),
      ),
    );
    assert.ok(of('terminal.watch').some(({ actor }) => actor.username === 'bo'));
    assert.ok(of('terminal.unshare').some(({ actor }) => actor.username === 'ada'));
  });
});
