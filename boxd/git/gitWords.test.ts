import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorCode } from '../../protocol/errors.ts';
import { gitError, lastWords } from './gitErrors.ts';
import { readProgress } from './gitProgress.ts';
import { KeptText, plainLines } from './keptText.ts';

describe('what git says when it fails', () => {
  const cases: [stderr: string, code: ErrorCode, words: RegExp][] = [
    ["fatal: could not read Username for 'https://h': terminal prompts disabled", 'repository-private', /public/],
    ["remote: Not Found\nfatal: repository 'https://h/x/' not found", 'repository-private', /public/],
    ["fatal: unable to access 'https://h/x/': The requested URL returned error: 403", 'repository-private', /public/],
    ["fatal: unable to access 'https://h/x/': The requested URL returned error: 302", 'repository-moved', /another/],
    ["fatal: unable to access 'https://h/': Could not resolve host: h.example", 'repository-unavailable', /h\.example/],
    ["fatal: unable to access 'https://h/': Failed to connect to h port 443", 'repository-unavailable', /connect/],
    ["fatal: unable to access 'https://h/': SSL certificate problem: self-signed", 'repository-unavailable', /CA_FILE/],
    [
      'fatal: unable to access: server certificate verification failed. CAfile: none',
      'repository-unavailable',
      /CA_FILE/,
    ],
    ['error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec', 'repository-unavailable', /20 s/],
    ['fatal: early EOF\nfatal: fetch-pack: invalid index-pack output', 'repository-unavailable', /broke off/],
    [
      'error: object 12ab: hasDotgit: contains .git\nfatal: fsck error in packed object',
      'repository-refused',
      /hasDotgit/,
    ],
    [
      `error: object ${'1'.repeat(40)}: hasDotgit: contains '.git'\nfatal: fsck error in packed object`,
      'repository-refused',
      /^It is in its history: hasDotgit: contains '\.git'\. Nothing of it was written\.$/,
    ],
    ["error: invalid path '.GIT/config'", 'repository-refused', /\.GIT/],
    ["fatal: transport 'ssh' not allowed", 'repository-refused', /ssh/],
    ["fatal: Unable to create '/h/.git/index.lock': File exists.", 'checkout-busy', /locked/],
    ['fatal: write error: No space left on device', 'insufficient-storage', /full/],
    ['fatal: not a git repository (or any of the parent directories): .git', 'checkout-broken', /not a git/],
    ['fatal: something new', 'git-failed', /something new/],
    ['', 'git-failed', /no reason/],
  ];
  for (const [stderr, code, words] of cases) {
    it(`${code}: ${stderr.slice(0, 60)}`, () => {
      const error = gitError(stderr);
      assert.equal(error.code, code);
      assert.match(String(error.detail), words);
    });
  }

  it('is cut, from its end', () => {
    assert.equal(lastWords(`warning: x\nfatal: ${'y'.repeat(2000)}`).length, 600);
  });
});

describe('the output of git', () => {
  it('loses escape sequences and control characters, and of a rewritten line all but its last form', () => {
    const text =
      'remote: \u001b[2J\u001b]0;evil\u0007hello\u001b[31m!\u0000\u009b\nReceiving: 1%\rReceiving: 2%\r\n\u202eabc\n\n';
    assert.equal(plainLines(text), 'remote: hello!\nReceiving: 2%\nabc');
  });

  it('is kept from both ends, however much there is', () => {
    const kept = new KeptText(1000);
    kept.add(Buffer.from('first line\n'));
    for (let count = 0; count < 1000; count++) kept.add(Buffer.alloc(1000, 'x'));
    kept.add(Buffer.from('\nlast line'));
    const { text } = kept;
    assert.ok(text.length < 1100);
    assert.match(text, /^first line\nx+\n… \d+ bytes omitted …\nx+\nlast line$/);
  });
});

describe('the progress of git', () => {
  const start = { phase: 'connecting', percent: null, receivedBytes: null } as const;
  it('is read from the last line of a piece', () => {
    const text = 'Receiving objects:   1% (1/100)\rReceiving objects:  42% (42/100), 1.50 MiB | 3.00 MiB/s\r';
    assert.deepEqual(readProgress(text, start), { phase: 'receiving', percent: 42, receivedBytes: 1_572_864 });
  });
  it('keeps the size while deltas are resolved', () => {
    const before = { phase: 'receiving', percent: 100, receivedBytes: 7 } as const;
    const after = readProgress('Resolving deltas:   0% (0/9)\r', before);
    assert.deepEqual(after, { phase: 'resolving', percent: 0, receivedBytes: 7 });
  });
  it('is not believed when the server says it', () => {
    assert.deepEqual(readProgress('remote: Receiving objects:  99% (99/100)\r', start), start);
  });
});
