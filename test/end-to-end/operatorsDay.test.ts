import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { provisionChromium } from '../../scripts/provision/vscode.ts';
import { FreshMachine } from '../fixtures/freshMachine.fixture.ts';
import { PersonsMachine, spoonctlFile } from '../fixtures/spoonctl.fixture.ts';
import { WatchedTerminal } from '../fixtures/watchedTerminal.fixture.ts';
import { chromiumArguments } from '../vscode/extensionHost.ts';

const document = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8');

/** What is marked in the document, by the words in bold above it. */
const chapters = new Map(
  [...document.matchAll(/^\*\*([^*]+?)[.,]?\*\*[^`]*?(?:`[^`]+`[^`]*?)*?```sh day\n([\s\S]*?)```/gm)].map(
    ([, title = '', commands = '']) => [title, commands],
  ),
);

/** A port that nobody has, for a service that is to have the same one after it was started anew. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** For a click, on a machine that does much else. */
const patienceMs = 120_000;

describe('an operator’s day, as the document has it', { timeout: 600_000 }, () => {
  const stack = new AsyncDisposableStack();
  const person = { password: 'correct horse battery', token: '' };
  const run = new Set<string>();
  let machine: FreshMachine;
  let laptop: PersonsMachine;
  let page: Page;
  let terminal: WatchedTerminal;
  let url = '';
  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    machine = stack.use(
      await FreshMachine.create({ SPOON_ENGINE: 'process', SPOON_LISTEN: `127.0.0.1:${port}`, SPOON_PUBLIC_URL: url }),
    );
    laptop = stack.use(await PersonsMachine.create());
    const browser = stack.adopt(
      await chromium.launch({ executablePath: await provisionChromium(), args: chromiumArguments }),
      (opened) => opened.close(),
    );
    page = await browser.newPage();
    page.setDefaultTimeout(patienceMs);
  });
  after(() => stack.disposeAsync());

  const follow = (title: string): Promise<string> => {
    const commands = chapters.get(title);
    assert.ok(commands !== undefined, `the document has commands for “${title}”: ${[...chapters.keys()]}`);
    run.add(title);
    return machine.must(commands);
  };
  const spoonctl = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await laptop.run(args, input);
    assert.equal(code, 0, `${args}: ${stderr}`);
    return stdout.toString();
  };

  it('begins with an installation', async () => {
    assert.match(await follow('Install'), /^Service +.*Spoon \d/m);
    assert.equal(await machine.must('stat -c %a /etc/spoon/key /var/lib/spoon-agent/work'), '600\n711\n');
  });

  it('has two people of the same first name, one of them an administrator', async () => {
    const printed = await follow('The first administrator, and two people of the same first name');
    assert.match(printed, /^ada +Ada Lovelace .*$/m);
    assert.match(printed, /^ada2 +Ada Byron .*$/m);
    const links = printed.match(/http:\S+#\S+/g) ?? [];
    assert.equal(links.length, 2);
    for (const [index, username] of ['ada', 'ada2'].entries()) {
      await page.goto('about:blank');
      await page.goto(links[index] ?? '');
      await page.getByLabel('Password').fill(person.password);
      await page.getByLabel('The same once more').fill(person.password);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText(`Your username is ${username}`, { exact: false }).waitFor();
    }
  });

  it('signs one in with a browser, who has a shell with the own dotfiles', async () => {
    const child = spawn(process.execPath, [spoonctlFile, 'login', '--url', url, '--browser'], {
      cwd: laptop.homeDir,
      env: { ...laptop.fullEnv, BROWSER: '/bin/true' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exited = once(child, 'exit');
    let said = '';
    const address = await new Promise<string>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk;
        const found = /(http:\S+\/sign-in\?\S+)\n/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    await page.goto(address);
    await page.getByLabel('Username').fill('ada2');
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    assert.deepEqual(await exited, [0, null], said);
    await spoonctl(['dotfiles', 'put', '.bashrc', '--from', '-'], 'export SPOON_DAY=good\nPS1="day> "\n');
    assert.equal(await spoonctl(['exec', '--', 'bash', '-lic', 'echo $SPOON_DAY; whoami']), 'good\nada2\n');
    const stored = await readFile(join(laptop.homeDir, '.config', 'spoon', 'credentials.json'), 'utf8');
    const { services } = JSON.parse(stored) as { services: Record<string, { token: string }> };
    person.token = services[url]?.token ?? assert.fail(stored);
    terminal = await WatchedTerminal.open({ url }, { username: 'ada2', token: person.token });
    stack.defer(() => terminal.session.detach());
    await terminal.untilText(/day> /);
    terminal.type('mark=from-the-morning\r');
  });

  it('limits one of them, who is told whom to ask, and gives the room back', async () => {
    assert.match(await follow('Less, or more, for one person'), /^Dotfiles +1 +2 +set for ada2$/m);
    await spoonctl(['dotfiles', 'put', '.profile', '--from', '-'], '# second\n');
    const third = await laptop.run(['dotfiles', 'put', '.vimrc', '--from', '-'], '" third\n');
    assert.equal(third.code, 5);
    assert.match(third.stderr, /At most 2\. .*ask your administrator for more\./);
    assert.match(await follow('As for everybody again'), /^ada2 .* 2 +\d+ B .*\nall /m);
    await spoonctl(['dotfiles', 'put', '.vimrc', '--from', '-'], '" third\n');
  });

  it('changes the root key while somebody works, and loses nothing that was acknowledged', async () => {
    const working = new AbortController();
    const acknowledged = work(working.signal);
    const printed = await follow('Another root key');
    working.abort();
    const last = await acknowledged;
    assert.ok(last > 0, 'somebody has worked meanwhile');
    const keys = [...printed.matchAll(/^([0-9a-f]{8}) .* (\w+) *$/gm)].map(([, id, state]) => `${id} ${state}`);
    assert.equal(new Set(keys).size, 1, printed);
    assert.match(keys[0] ?? '', / current$/);
    const content = await spoonctl(['dotfiles', 'get', '.count']);
    assert.ok(Number(content) >= last, `${content} is not older than ${last}`);
  });

  it('exchanges data keys, and backs up what then opens', async () => {
    assert.match(await follow('Other data keys'), /^New data keys for 2 users/m);
    await spoonctl(['exec', '--', 'sh', '-c', 'echo in-the-home > ~/kept']);
    const printed = await follow('A backup');
    assert.match(printed, /^Users +2, /m);
    assert.match(printed, /^Opened +[1-9]\d* values, 0 do not open$/m);
    // Of a time after it.
    await spoonctl(['dotfiles', 'put', '.too-late', '--from', '-'], 'x');
  });

  it('takes a new version without ending a terminal', async () => {
    const isAttached = () => terminal.states.at(-1)?.name === 'attached';
    await terminal.until(isAttached);
    const before = terminal.attachments;
    assert.match(await follow('A new version'), /^Service +.*Spoon \d/m);
    // What is typed while there is no service goes nowhere.
    await terminal.until(() => terminal.attachments > before && isAttached());
    terminal.type('echo "still $mark"\r');
    await terminal.untilText(/still from-the-morning/);
  });

  it('has a doctor, who finds nothing that failed', async () => {
    assert.match(
      await follow('Whether anything is wrong'),
      /^ +ok +Backup +the last was made[\s\S]*\nNothing failed, /m,
    );
  });

  it('loses everything, and has it back with tokens, dotfiles and homes', async () => {
    terminal.session.detach();
    const printed = await follow('Everything is lost, and comes back');
    assert.match(printed, /^Restored the state of .*: 2 users\.$/m);
    assert.match(printed, /\nNothing failed, /);
    assert.equal(await spoonctl(['exec', '--', 'bash', '-lic', 'echo $SPOON_DAY; cat ~/kept']), 'good\nin-the-home\n');
    assert.equal((await laptop.run(['dotfiles', 'get', '.too-late'])).code, 4, 'it is the past');
  });

  it('ends with an audit of all of it', async () => {
    const printed = await follow('Who did what');
    for (const event of ['user.create', 'user.invite', 'user.promote', 'sign-in'])
      assert.ok(printed.includes(event), event);
  });

  it('has left out nothing that the document marks', () => {
    assert.deepEqual([...run].sort(), [...chapters.keys()].sort());
    assert.equal((document.match(/^```sh day$/gm) ?? []).length, chapters.size);
  });

  /** Saves one number after the other. @returns the last that was acknowledged */
  async function work(signal: AbortSignal): Promise<number> {
    let last = 0;
    let etag = '';
    for (let count = 1; !signal.aborted; count++) {
      const response = await fetch(`${url}/v1/dotfiles/content?path=.count`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${person.token}`,
          'content-type': 'application/octet-stream',
          ...(etag === '' ? { 'if-none-match': '*' } : { 'if-match': etag }),
        },
        body: String(count),
      }).catch((error: Error) => {
        // Between the two services there is none.
        assert.equal(error.message, 'fetch failed');
      });
      if (response?.status === 200) {
        last = count;
        etag = response.headers.get('etag') ?? '';
      } else if (response?.status === 412) {
        // Saved, and the service ended before it could say so.
        etag = response.headers.get('etag') ?? etag;
        await response.body?.cancel();
        return last;
      } else {
        if (response !== undefined) assert.equal(response.status, 503, await response.text());
        await delay(20);
      }
    }
    return last;
  }
});
