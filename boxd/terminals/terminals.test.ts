import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { StartedTerminal, TerminalStates } from '../../protocol/boxd.ts';
import { eventually } from '../testing/eventually.ts';
import { TestBox } from '../testing/testBox.ts';
import { TestViewer } from '../testing/testViewer.ts';

const prompt = /\$ $/;

describe('a terminal', () => {
  let box: TestBox;
  let count = 0;
  before(async () => {
    box = await TestBox.start({
      prepare: (home) => {
        writeFileSync(
          join(home, '.bashrc'),
          'PS1="$ "\nexport FROM_BASHRC=yes\nbind "set enable-bracketed-paste off"\n',
        );
        mkdirSync(join(home, 'src'));
      },
    });
  });
  after(() => box.stop());

  async function open(wanted: Parameters<TestBox['openTerminal']>[0] = {}): Promise<string> {
    const id = `t${++count}`;
    const reply = await box.openTerminal({ id, ...wanted });
    assert.equal(reply.status, 200, reply.body.toString());
    return id;
  }
  async function openAndView(wanted: Parameters<TestBox['openTerminal']>[0] = {}): Promise<[string, TestViewer]> {
    const id = await open(wanted);
    const viewer = await TestViewer.attach(box, id);
    await viewer.untilText(prompt);
    return [id, viewer];
  }
  const list = async () => (await box.request('GET', '/v1/terminals')).json<TerminalStates>().terminals;
  const find = async (id: string) => (await list()).find((terminal) => terminal.id === id);

  it('is a login shell that has read the profile, with a clean environment and nothing of boxd', async () => {
    const [, viewer] = await openAndView({ cwd: 'src', environment: { API_TOKEN: 'a b' } });
    viewer.type(
      'shopt -q login_shell && echo log""in; echo $FROM_BASHRC; pwd; env | sort | tr "\\n" "|"; echo e""nd\r',
    );
    await viewer.untilText(/end\r\n\$ $/);
    const { text } = viewer;
    assert.match(text, /login\r\nyes\r\n/);
    assert.ok(text.includes(`\r\n${box.home}/src\r\n`));
    for (const part of [
      'API_TOKEN=a b|',
      'TERM=xterm-256color|',
      'COLORTERM=truecolor|',
      'SPOON_SHELL_INTEGRATION=1|',
      'LANG=C.UTF-8|',
      'SPOON=1|',
    ]) {
      assert.ok(text.includes(part), part);
    }
    assert.ok(text.includes(`HOME=${box.home}|`) && text.includes('USER=ada|') && text.includes('SHELL=/bin/bash|'));
    assert.ok(!text.includes('SPOON_SOCKET'));
    viewer.webSocket.terminate();
  });

  it('says how it ended, after its last output, and tells a late viewer too', async () => {
    const [id, viewer] = await openAndView();
    viewer.type('seq 1 20000; exit 7\r');
    assert.equal((await viewer.closed).code, 1000);
    assert.match(viewer.text, /\n20000\r\n/);
    const exit = viewer.messages.at(-1);
    assert.ok(exit?.type === 'exit' && exit.code === 7 && exit.signal === null && exit.ranMs > 0);
    assert.equal(await find(id), undefined);
    const late = await TestViewer.attach(box, id, { offset: viewer.offset });
    assert.equal((await late.closed).code, 1000);
    assert.deepEqual(late.messages.at(-1), exit);
    assert.equal(late.text, '');
  });

  it('names the signal that ended the shell', async () => {
    const [, viewer] = await openAndView();
    viewer.type('kill -KILL $$\r');
    await viewer.closed;
    const exit = viewer.messages.at(-1);
    assert.ok(exit?.type === 'exit' && exit.code === 137 && exit.signal === 'SIGKILL');
  });

  it('ends although a process in the background holds on to it', async () => {
    const [, viewer] = await openAndView();
    viewer.type('sleep 30 & disown; echo "left $!"; exit\r');
    assert.equal((await viewer.closed).code, 1000);
    process.kill(Number(/^left (\d+)/m.exec(viewer.text)?.[1]));
  });

  it('goes on at an offset without a gap, and replays all to a new viewer', async () => {
    const [id, first] = await openAndView();
    first.type('echo one\r');
    await first.untilText(/\none\r\n\$ $/);
    first.webSocket.terminate();
    const second = await TestViewer.attach(box, id, { offset: first.offset });
    second.type('echo two\r');
    await second.untilText(/\ntwo\r\n\$ $/);
    const third = await TestViewer.attach(box, id);
    await third.untilText(/\ntwo\r\n\$ $/);
    assert.equal(third.text, first.text + second.text);
    assert.equal(third.offset, second.offset);
    second.webSocket.terminate();
    third.webSocket.terminate();
  });

  it('draws the screen for a viewer that comes anew, without what the program asked of the first one', async () => {
    const [id, first] = await openAndView();
    first.type('printf "\\033[1;32mgreen\\033[0m\\033[c\\033[6n\\n"; cat > /dev/null\r');
    await first.untilText(/green/);
    const second = await TestViewer.attach(box, id, { snapshots: true });
    const [message] = second.messages;
    assert.equal(message?.type, 'snapshot');
    const drawn = second.drawn.toString();
    assert.match(drawn, /\$ printf .*\r\n\S+green/s);
    assert.ok(!drawn.includes('\x1b[c') && !drawn.includes('\x1b[6n'));
    assert.equal(second.receivedBytes, 0);
    // Output follows without a gap.
    assert.equal(second.offset, first.offset);
    first.type('\x04echo on""ward\r');
    await second.untilText(/onward\r\n\$ $/);
    await first.untilText(/onward\r\n\$ $/);
    assert.ok(first.text.endsWith(second.text));
  });

  it('draws the screen where the bytes that a viewer wants are gone, and while it floods', async () => {
    const [id, first] = await openAndView();
    first.keepBytes = 100_000;
    first.type('yes flood\r');
    await first.until(() => first.offset > 2 * 1024 * 1024);
    const second = await TestViewer.attach(box, id, { snapshots: true, offset: 10 });
    assert.equal(second.messages[0]?.type, 'snapshot');
    assert.match(second.drawn.toString(), /(flood\r\n){100}/);
    second.keepBytes = 100_000;
    const { offset } = second;
    await second.until(() => second.offset > offset + 100_000);
    first.type('\x03');
    await second.untilText(/\^C/);
  });

  it('says what was printed last, but not what a full-screen program drew', async () => {
    const [id, viewer] = await openAndView();
    viewer.type('printf "\\033[31mal""most\\033[0m done\\n"; cat\r');
    await viewer.untilText(/almost/);
    assert.equal((await find(id))?.lastLine, 'almost done');
    viewer.type('\x04printf "\\033[?1049h pic""ture"; cat\r');
    await viewer.untilText(/picture/);
    assert.equal((await find(id))?.lastLine, '');
  });

  it('passes every byte as it is, both ways', async () => {
    const [id, viewer] = await openAndView();
    viewer.type('stty raw -echo; echo re""ady; head -c 262144 | sha256sum; stty sane\r');
    await viewer.untilText(/ready/);
    const bytes = Buffer.from(Array.from({ length: 262_144 }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
    for (let at = 0; at < bytes.length; at += 60_000) viewer.webSocket.send(bytes.subarray(at, at + 60_000));
    const { createHash } = await import('node:crypto');
    await viewer.untilText(new RegExp(createHash('sha256').update(bytes).digest('hex')));
    viewer.type("printf '\\xff\\xfe\\x00\\x80grüße€🥄\\xf0\\x9f' | od -An -tx1; printf '<\\xff\\x80€🥄>'\r");
    const wanted = Buffer.concat([Buffer.from('<'), Buffer.from([0xff, 0x80]), Buffer.from('€🥄>')]);
    await viewer.until(() => viewer.output.includes(wanted));
    await box.request('DELETE', `/v1/terminals/${id}`);
  });

  it('takes the size of whoever spoke last, clamped', async () => {
    const [id, viewer] = await openAndView();
    const size = async () => {
      const terminal = await find(id);
      return [terminal?.columns, terminal?.rows];
    };
    for (let step = 0; step < 1_000; step++) viewer.say({ type: 'resize', columns: 10 + (step % 100), rows: 50 });
    viewer.say({ type: 'resize', columns: 132, rows: 43 });
    viewer.type('stty size\r');
    await viewer.untilText(/43 132/);
    for (const [columns, rows, expected] of [
      [0, -1, [2, 1]],
      [1e9, 1e9, [500, 300]],
      [90.7, 'a', [90, 24]],
      [null, {}, [80, 24]],
    ] as const) {
      viewer.say({ type: 'resize', columns, rows });
      viewer.type('stty size\r');
      await viewer.untilText(new RegExp(`${expected[1]} ${expected[0]}`));
      assert.deepEqual(await size(), expected);
    }
    const other = await TestViewer.attach(box, id, { columns: 100, rows: 30 });
    other.type('stty size\r');
    await other.untilText(/30 100/);
    viewer.type('stty size\r');
    await viewer.untilText(/24 80\r\n\$ $/);
    viewer.webSocket.terminate();
    other.webSocket.terminate();
  });

  it('closes a viewer that says nonsense, and the shell does not notice', async () => {
    const [id, good] = await openAndView();
    const nonsense: [string | Buffer, number][] = [
      ['{}', 4400],
      ['not json', 4400],
      ['{"type":"dance"}', 4400],
      ['{"type":"ack","offset":1}', 4400],
      ['{"type":"attach"}\n{', 4400],
      [Buffer.from('input before attach'), 4400],
      [Buffer.alloc(64 * 1024 + 1), 1009],
    ];
    for (const [message, code] of nonsense) {
      const viewer = new TestViewer(await box.connect(`/v1/terminals/${id}/attach`), true);
      viewer.webSocket.send(message);
      assert.equal((await viewer.closed).code, code, String(message).slice(0, 30));
    }
    good.say({ type: 'attach', columns: 80, rows: 24, credit: 1000 });
    assert.equal((await good.closed).code, 4400);
    const again = await TestViewer.attach(box, id);
    again.type('echo al""ive\r');
    await again.untilText(/alive/);
    for (let ping = 0; ping < 1_500; ping++) again.webSocket.ping();
    assert.equal((await again.closed).code, 1008);
    await eventually('nobody watches', async () => (await find(id))?.viewers === 0);
  });

  it('knows its title, its folder and whether something runs in it', async () => {
    const [id, viewer] = await openAndView();
    assert.equal((await find(id))?.busy, false);
    viewer.type('printf \'\\033]0;my title\\007\'; cd src; echo st""art; read\r');
    await viewer.untilText(/start/);
    assert.equal((await find(id))?.busy, false);
    viewer.type('\r');
    viewer.type('sh -c "echo ru""nning; read x"\r');
    await viewer.untilText(/running/);
    const terminal = await find(id);
    assert.deepEqual(
      [terminal?.title, terminal?.cwd, terminal?.busy, terminal?.viewers],
      ['my title', `${box.home}/src`, true, 1],
    );
    await box.request('DELETE', `/v1/terminals/${id}`);
  });

  it('knows the folder that a shell within it reports', async () => {
    const [id, viewer] = await openAndView();
    writeFileSync(join(box.home, 'inner'), "printf '\\e]633;P;Cwd=%s\\a' /etc\nexec sleep 1000\n");
    viewer.type('cd src; bash ../inner\r');
    const cwd = async () => (await find(id))?.cwd;
    await eventually('the folder of the inner one', async () => (await cwd()) === '/etc');
    viewer.type('\x03');
    await eventually('the folder of the outer one', async () => (await cwd()) === `${box.home}/src`);
    await box.request('DELETE', `/v1/terminals/${id}`);
  });

  it('is ended with all that it started', async () => {
    const [id, viewer] = await openAndView();
    viewer.type('trap "" HUP; nohup setsid sleep 4321 & sleep 4322\r');
    await viewer.untilText(/nohup: ignoring|sleep 4322/);
    await viewer.until(() => true);
    assert.equal((await box.request('DELETE', `/v1/terminals/${id}`)).status, 204);
    assert.equal((await viewer.closed).code, 1000);
    const { findDescendants } = await import('../processes/processTable.ts');
    assert.deepEqual(findDescendants(-2, `SPOON_TERMINAL_ID=${id}`), []);
    assert.equal((await box.request('DELETE', '/v1/terminals/nobody')).status, 404);
  });

  it('starts safely when the start-up files are broken', async () => {
    writeFileSync(join(box.home, '.bash_profile'), 'exit 3\n');
    try {
      const broken = await TestViewer.attach(box, await open());
      await broken.closed;
      const exit = broken.messages.at(-1);
      assert.ok(exit?.type === 'exit' && exit.code === 3 && exit.ranMs < 3_000);
      const safe = await TestViewer.attach(box, await open({ safe: true }));
      await safe.untilText(/safe .*[$#] $/);
      safe.type('echo "<$FROM_BASHRC>"\r');
      await safe.untilText(/<>\r\n/);
      safe.webSocket.terminate();
    } finally {
      writeFileSync(join(box.home, '.bash_profile'), '. ~/.bashrc\n');
    }
  });

  it('starts in the home with a note where the folder cannot be used', async () => {
    const reply = await box.openTerminal({ id: `t${++count}`, cwd: '../../etc', shell: '/usr/bin/no-such' });
    const { terminal, notes } = reply.json<StartedTerminal>();
    assert.equal(terminal.cwd, box.home);
    assert.equal(notes.length, 2);
  });

  it('refuses what is no terminal', async () => {
    for (const wrong of [
      { id: 'a/b' },
      { id: '' },
      { shell: 'bash;id' },
      { environment: { 'A=B': 'x' } },
      { environment: { A: 'x\0' } },
    ]) {
      const { status } = await box.openTerminal({ id: `t${++count}`, ...wrong });
      assert.equal(status, 422, JSON.stringify(wrong));
    }
    assert.equal((await box.request('POST', '/v1/terminals', Buffer.from('{'))).status, 400);
    assert.equal((await box.request('POST', '/v1/terminals', [])).status, 422);
    assert.equal((await box.request('PUT', '/v1/terminals', {})).status, 404);
    const id = await open();
    assert.equal((await box.openTerminal({ id })).status, 422);
    await assert.rejects(box.connect('/v1/terminals/nobody/attach'), /404/);
  });
});
