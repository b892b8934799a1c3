import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { ApiClient } from '../../client/apiClient.ts';
import { sealForService } from '../../client/sealing.ts';
import type { Job } from '../../protocol/jobs.ts';
import { type SecretScope, secretUse } from '../../protocol/secrets.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { followJob } from '../fixtures/jobViewer.fixture.ts';

const value = 'canary/job+secret 5e1f';
const encoded = [
  encodeURIComponent(value),
  Buffer.from(value).toString('base64'),
  Buffer.from(`x${value}`).toString('base64'),
];
/** Everything a program could do with it by mistake: as it is, encoded, cut in two, into a file, into a commit. */
const spill = [
  'printf "as is: %s\\n" "$JOB_KEY"',
  'node -p "encodeURIComponent(process.env.JOB_KEY)"; printf "%s" "$JOB_KEY" | base64; printf "x%s" "$JOB_KEY" | base64',
  'printf "%s" "$JOB_KEY" | head -c 9; sleep 0.3; printf "%s" "$JOB_KEY" | tail -c +10; echo',
  'printf "%s\\n" "$JOB_KEY" > leaked.txt',
  'git add leaked.txt; git -c user.name=a -c user.email=a@b commit -qm "Use $JOB_KEY"',
].join('\n');

/** Works in one service and looks for the secret wherever a person, an operator or a thief could. */
class LeakSearch {
  readonly side: TestHttpSide;
  readonly server: GitServer;
  readonly token: string;

  private constructor(side: TestHttpSide, server: GitServer, token: string) {
    this.side = side;
    this.server = server;
    this.token = token;
  }

  static async start(boxdImports: readonly string[]): Promise<LeakSearch> {
    const server = await GitServer.start();
    const side = await TestHttpSide.start({ gitHosts: [server.host], boxdImports });
    side.boxes.authorities = server.ca;
    const token = await side.tokenOf('ada');
    server.repository('api', { 'README.md': 'hello\n' });
    await side.json('POST', '/v1/threads', token, { spoon: 'api', branch: 'main', url: server.url('api.git') });
    return new LeakSearch(side, server, token);
  }

  async set(name: string, secret: string, scopes: SecretScope[], spoon: string | null = null): Promise<void> {
    const { side, token } = this;
    const api = new ApiClient({ url: side.url, token: () => token, clientId: 'test', fetch });
    const known = new Map<string, string>();
    const pins = {
      get: async (pin: string) => known.get(pin),
      set: async (pin: string, key: string) => void known.set(pin, key),
    };
    const use = secretUse(name, spoon);
    const sealed = await sealForService({ api, pins, username: 'ada', use, value: Buffer.from(secret) });
    await side.json('PUT', `/v1/secrets/${name}`, token, { sealed, scopes, ...(spoon === null ? {} : { spoon }) });
  }

  async job(prompt: string): Promise<{ id: string; output: string; end: Job }> {
    const { id } = await this.side.json<Job>('POST', '/v1/jobs', this.token, { thread: 'api/main', prompt });
    const viewer = followJob({ url: this.side.url, token: this.token }, id);
    const end = await viewer.ended;
    return { id, output: viewer.text, end };
  }

  /** Where the secret is in sight, by name. */
  async places(id: string, output: string): Promise<string[]> {
    const { side, token } = this;
    const text = async (path: string) => (await side.call('GET', path, token)).text();
    const files = (await readdir(side.folder)).filter((name) => name.startsWith('spoon.db'));
    assert.ok(files.includes('spoon.db-wal'), String(files));
    const refused = await side.call('PUT', '/v1/secrets/JOB_KEY', token, {
      sealed: Buffer.from(value).toString('base64'),
    });
    const places: Record<string, string> = {
      'live output': output,
      log: await text(`/v1/jobs/${id}/log`),
      'log as text': await text(`/v1/jobs/${id}/log?format=text`),
      diff: await text(`/v1/jobs/${id}/diff`),
      details: await text(`/v1/jobs/${id}`),
      list: await text('/v1/jobs'),
      search: await (await side.call('POST', '/v1/jobs/search', token, { text: 'canary' })).text(),
      problem: await refused.text(),
      'service log': side.logLines.join(''),
      audit: JSON.stringify((await operatorCall(side.adminSocket, 'GET', '/v1/admin/audit?limit=1000')).body),
      store: Buffer.concat(await Promise.all(files.map((name) => readFile(join(side.folder, name))))).toString(
        'latin1',
      ),
    };
    assert.match(places.audit ?? '', /job\.run/);
    const forms = [value, ...encoded, 'job+secret', 'job%2Bsecret'];
    return Object.entries(places)
      .filter(([, found]) => forms.some((form) => found.includes(form)))
      .map(([place]) => place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.side[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

describe('secrets in jobs', { timeout: 300_000 }, () => {
  let search: LeakSearch;
  before(async () => {
    search = await LeakSearch.start([]);
    await search.set('JOB_KEY', value, ['jobs']);
    await search.set('SHELL_KEY', 'only-in-shells', ['shells', 'setup']);
    await search.set('API_ONLY_KEY', 'of-this-spoon', ['jobs'], 'api');
    await search.set('OTHER_KEY', 'of-another-spoon', ['jobs'], 'web');
  });
  after(() => search[Symbol.asyncDispose]());

  it('are those of the scope jobs, and of the spoon', async () => {
    const names = ['JOB_KEY', 'SHELL_KEY', 'API_ONLY_KEY', 'OTHER_KEY'];
    const lengths = names.map((name) => `printf %s "$${name}" | wc -c`).join(';');
    assert.equal((await search.job(lengths)).output, `${value.length}\r\n0\r\n13\r\n0\r\n`);
  });

  it('are nowhere in what is kept and seen of a job that spills them (row 75)', async () => {
    const { id, output, end } = await search.job(spill);
    assert.equal(end.state, 'succeeded', output);
    assert.equal(end.changes?.commits, 1);
    assert.match(output, /^as is: \*\*\*\r\n\*\*\*\r\n/);
    assert.match(output, /\r\n\*\*\*\r\n$/, 'the one that came in two pieces');
    assert.deepEqual(await search.places(id, output), []);
  });

  it('are in no argument of any process while it runs', async () => {
    const { id } = await search.side.json<Job>('POST', '/v1/jobs', search.token, {
      thread: 'api/main',
      prompt: 'printf "%s" "$JOB_KEY" | wc -c; while [ ! -e ~/go ]; do sleep 0.05; done',
    });
    const viewer = followJob({ url: search.side.url, token: search.token }, id);
    await viewer.saw(String(value.length));
    const seen: string[] = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (text.includes('secret 5e1f')) seen.push(text);
    }
    assert.deepEqual(seen, []);
    await search.side.json('POST', `/v1/jobs/${id}/cancel`, search.token);
    assert.equal((await viewer.ended).state, 'cancelled');
  });
});

describe('the search for secrets of jobs', { timeout: 300_000 }, () => {
  it('finds them when the redaction is off', async () => {
    await using search = await LeakSearch.start(['./test/fixtures/redactionOff.fixture.ts']);
    await search.set('JOB_KEY', value, ['jobs']);
    const { id, output } = await search.job(spill);
    assert.deepEqual(await search.places(id, output), [
      'live output',
      'log',
      'log as text',
      'diff',
      'details',
      'search',
    ]);
  });
});
