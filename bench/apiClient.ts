// The people who ask, in a process of its own: `apiLoad.ts` writes what to do to its stdin and reads one line of JSON from its
// stdout. When a request is due was fixed before the first was sent, and what it took is counted from then: a service that
// stands still for a second is charged with every request of that second (no coordinated omission).
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { DotfileList, SaveResult } from '../protocol/dotfiles.ts';
import { type RequestKind, requestKinds, type Taken, type Task } from './apiTask.ts';

interface Person {
  readonly token: string;
  readonly agent: Agent;
  /** With the etag of each, as a window knows them. */
  readonly files: { path: string; etag: string }[];
  next: number;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

async function main(): Promise<void> {
  const { url, tokens, perSecond, seconds }: Task = JSON.parse(await text(process.stdin));
  const people = tokens.map((token, index): Person => {
    return { token, agent: new Agent({ keepAlive: true }), files: [], next: index };
  });
  for (const person of people) {
    const { body } = await ask(url, person, { method: 'GET', path: '/v1/dotfiles' });
    const { dotfiles }: DotfileList = JSON.parse(body.toString());
    person.files.push(...dotfiles.map(({ path, etag }) => ({ path, etag })));
  }
  const count = perSecond * seconds;
  const taken: Record<RequestKind, number[]> = { list: [], get: [], save: [] };
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const startMs = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < count; index++) {
    const dueMs = startMs + (index * 1000) / perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const kind = requestKinds[index % requestKinds.length] ?? 'list';
    const person = people[Math.floor(index / requestKinds.length) % people.length];
    assert(person);
    running.push(
      one(url, person, kind).then(() => {
        taken[kind].push(performance.now() - dueMs);
      }),
    );
  }
  await Promise.all(running);
  const reached = count / ((performance.now() - startMs) / 1000);
  for (const { agent } of people) agent.destroy();
  const result: Taken = { taken, perSecond: reached, loopDelayMs: loop.percentile(99) / 1e6 - 1 };
  console.log(JSON.stringify(result));
}

async function one(url: string, person: Person, kind: RequestKind): Promise<void> {
  const file = person.files[person.next++ % person.files.length];
  assert(file);
  if (kind === 'list') {
    const { body } = await ask(url, person, { method: 'GET', path: '/v1/dotfiles' });
    // Read to its end; what is in it was looked at before, and parsing it would be this process's time.
    assert.ok(body.length > person.files.length * 100);
    return;
  }
  const path = `/v1/dotfiles/content?path=${encodeURIComponent(file.path)}`;
  if (kind === 'get') {
    assert.ok((await ask(url, person, { method: 'GET', path })).body.length > 0);
    return;
  }
  const content = Buffer.from(`saved ${performance.now()}\n`.repeat(20));
  const { body } = await ask(url, person, { method: 'PUT', path, content, etag: file.etag });
  const saved: SaveResult = JSON.parse(body.toString());
  file.etag = saved.dotfile.etag;
}

function ask(
  url: string,
  { token, agent }: Person,
  { method, path, content, etag }: { method: string; path: string; content?: Buffer; etag?: string },
): Promise<Answer> {
  const headers: Record<string, string | number> = { authorization: `Bearer ${token}` };
  if (content !== undefined) {
    headers['content-type'] = 'application/octet-stream';
    headers['content-length'] = content.length;
  }
  if (etag !== undefined) headers['if-match'] = etag;
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
        if (answer.status === 200) resolve(answer);
        else reject(new Error(`${method} ${path}: ${answer.status} ${answer.body}`));
      });
    });
    sent.on('error', reject);
    sent.end(content);
  });
}

await main();
