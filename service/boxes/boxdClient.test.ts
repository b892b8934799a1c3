import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OverlayApply } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { readFrameBatches } from '../../protocol/overlayFrames.ts';
import { BoxdClient } from './boxdClient.ts';
import type { LinkRequest } from './boxdLink.ts';

const never = () => Promise.reject(new Error('not asked for'));
const code = (expected: string) => (error: unknown) => error instanceof SpoonError && error.code === expected;

/** A client of a box that answers everything with this. */
function answered(status: number, value: unknown): BoxdClient {
  const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return new BoxdClient({ request: async () => ({ status, body }), upgrade: never, dial: never });
}
const stat = { protocol: 1, build: 'abc', pid: 7, rssBytes: 1, startedMs: 2 };

describe('BoxdClient', () => {
  it('keeps what the schema names and drops the rest', async () => {
    assert.deepEqual(await answered(200, { ...stat, extra: 'x' }).stat(), stat);
  });

  it('keeps what a terminal is and what it does', async () => {
    const terminal = { id: 't', title: 'x', cwd: '/', createdMs: 1, viewers: 0, columns: 80, rows: 24, busy: true };
    const states = { terminals: [terminal], commands: 1 };
    assert.deepEqual(await answered(200, { ...states, terminals: [{ ...terminal, more: 1 }] }).terminals(), states);
  });

  const misbehaviours: [string, number, unknown][] = [
    ['no JSON', 200, '<html>'],
    ['a missing field', 200, { ...stat, pid: undefined }],
    ['a wrong type', 200, { ...stat, pid: '7' }],
    ['a text without end', 200, { ...stat, build: 'x'.repeat(1000) }],
    ['a redirect', 302, ''],
    ['a code that only the service may use', 401, problem('unauthenticated', 401)],
    ['an unknown code', 500, problem('of-my-own', 500)],
    ['a refusal without a form', 500, {}],
  ];
  for (const [name, status, value] of misbehaviours) {
    it(`calls ${name} misbehaviour`, () => assert.rejects(answered(status, value).stat(), code('box-misbehaved')));
  }

  it('passes on what boxd may refuse, without control characters', async () => {
    const refused = answered(429, problem('terminal-limit', 429, 'Sixteen\u001b]0;x\u0007 are open.')).terminals();
    await assert.rejects(refused, { code: 'terminal-limit', detail: 'Sixteen ]0;x  are open.' });
  });

  it('asks only for contents of the plan, each once', async () => {
    const client = answered(200, { needed: ['.bashrc', '.bashrc', '../etc/shadow'] });
    const entry = { path: '.bashrc', kind: 'file', mode: 0o644, size: 1, content: 'c' } as const;
    assert.deepEqual(await client.neededPaths({ digest: 'd', entries: [entry] }), ['.bashrc']);
  });

  it('frames an overlay: what to do first, then paths and bytes', async () => {
    const frames: string[] = [];
    const client = new BoxdClient({
      request: async ({ body }: LinkRequest) => {
        for await (const batch of readFrameBatches(body as AsyncIterable<Uint8Array>, 1024))
          frames.push(...batch.map((payload) => String(Buffer.from(payload))));
        return { status: 200, body: Buffer.from('{"outcomes":[],"stages":[]}') };
      },
      upgrade: never,
      dial: never,
    });
    const apply: OverlayApply = { scope: 'change', digest: 'd', entries: [], removed: ['.old'] };
    await client.applyOverlay(apply, [{ path: '.bashrc', bytes: Buffer.from('PS1=x') }]);
    assert.deepEqual(frames, [JSON.stringify(apply), '.bashrc', 'PS1=x']);
  });

  it('keeps an id inside its place in the path', async () => {
    const paths: string[] = [];
    const client = new BoxdClient({
      request: async ({ path }: LinkRequest) => {
        paths.push(path);
        return { status: 204, body: Buffer.alloc(0) };
      },
      upgrade: never,
      dial: never,
    });
    await client.endTerminal('../../v1/stat?x');
    assert.deepEqual(paths, ['/v1/terminals/..%2F..%2Fv1%2Fstat%3Fx']);
  });
});

function problem(code: string, status: number, detail = 'Because.') {
  return { type: `urn:spoon:problem:${code}`, title: 'It was refused.', status, code, detail };
}
