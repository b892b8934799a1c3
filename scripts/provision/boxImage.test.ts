import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Docker from 'dockerode';
import { runCommand } from '../runCommand.ts';
import { readTools } from './tools.ts';

const dockerFolder = join(dirname(dirname(import.meta.dirname)), 'docker');
const tools = await readTools(dockerFolder);

/** Terminal bytes without colours and the like. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it is about
const plain = (text: string): string => text.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]|[\x01\x02\r]/g, '');

describe('the box image, with an empty home', { timeout: 120_000 }, () => {
  const host = process.env.SPOON_TEST_DOCKER_HOST ?? '';
  const image = process.env.SPOON_TEST_IMAGE ?? '';
  let container: Docker.Container;

  before(async () => {
    assert.ok(host !== '' && image !== '', 'SPOON_TEST_DOCKER_HOST and SPOON_TEST_IMAGE are set by `npm test`');
    const docker = new Docker({ socketPath: host.replace('unix://', '') });
    const home = '/home/ada';
    container = await docker.createContainer({
      Image: image,
      Cmd: ['sleep', 'infinity'],
      User: '23456:23456',
      Env: [`HOME=${home}`, 'TERM=xterm-256color'],
      WorkingDir: home,
      HostConfig: {
        Init: true,
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        NetworkMode: 'none',
        SecurityOpt: ['no-new-privileges:true'],
        Tmpfs: { '/tmp': 'mode=1777', [home]: 'mode=0700,uid=23456,gid=23456' },
      },
    });
    await container.start();
  });
  after(() => container?.remove({ force: true }));

  /** Runs it with a terminal, and says what that showed. */
  async function show(command: string[], user = '23456:23456'): Promise<string> {
    const exec = await container.exec({ Cmd: command, Tty: true, AttachStdout: true, AttachStderr: true, User: user });
    const stream = await exec.start({ Tty: true });
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return plain(text).trim();
  }

  for (const { command, debian } of tools) {
    if (command === null || debian === null) continue;
    it(`runs ${command} (${debian})`, async () => {
      const flag = { ssh: '-V', tmux: '-V', unzip: '-v' }[command] ?? '--version';
      // As root, who is in the image's own passwd file: ssh looks itself up there. A box brings one with its user in it.
      assert.match(await show(['sh', '-c', `${command} ${flag} 2>&1; echo exit $?`], '0:0'), /exit 0$/);
    });
  }

  it('has no file that gives rights away', async () => {
    assert.equal(await show(['find', '/', '-xdev', '-type', 'f', '-perm', '/6000'], '0:0'), '');
  });

  it('speaks UTF-8', async () => {
    assert.equal(await show(['bash', '-c', 'printf Zoë | wc -m']), '3');
  });

  for (const shell of ['bash', 'zsh']) {
    it(`has its short names in an interactive ${shell}, and the editor`, async () => {
      const output = await show([shell, '-lic', 'touch a-file; ll; la; lt; z ~ && echo "editor $EDITOR"']);
      assert.match(output, /a-file/);
      assert.match(output, /editor nvim/);
      assert.doesNotMatch(output, /not found|error/i);
    });

    it(`shows none of it to a ${shell} script, and starts that silently`, async () => {
      assert.equal(await show([shell, '-c', 'type ll >/dev/null 2>&1 || echo "no $EDITOR"']), 'no');
    });

    it(`lets the user's own ${shell} file win`, async () => {
      const rc = `ll() { echo own function; }\nalias la='echo own alias'\nEDITOR=ed\nPS1='own> '\n`;
      await show(['sh', '-c', `printf '%s' "$0" > ~/.${shell}rc; echo '. ~/.bashrc' > ~/.bash_profile`, rc]);
      try {
        const output = await show([shell, '-lic', 'll\nla\necho "editor $EDITOR, prompt $PS1"']);
        for (const part of ['own function', 'own alias', 'editor ed, prompt own>'])
          assert.ok(output.includes(part), output);
      } finally {
        await show(['sh', '-c', 'rm -f ~/.bashrc ~/.zshrc ~/.bash_profile']);
      }
    });
  }

  it('shows folder, branch and exit code in the prompt', async () => {
    await show([
      'sh',
      '-c',
      'mkdir -p ~/Code/spoon/main && git -C ~/Code/spoon/main init --quiet --initial-branch feat/x',
    ]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash expands it
    const output = await show(['bash', '-lic', 'cd ~/Code/spoon/main; (exit 7); echo "${PS1@P}"']);
    assert.equal(output, '~/Code/spoon/main (feat/x) 7 $');
  });

  it('does not let a repository paint the terminal', async () => {
    await show(['sh', '-c', `mkdir -p ~/evil/.git && printf 'ref: refs/heads/a\\033[31mb\\n' > ~/evil/.git/HEAD`]);
    assert.equal(
      await show(['bash', '-lic', 'cd ~/evil; __spoon_find_branch; printf %q "$__spoon_branch"']),
      'a\\[31mb',
    );
  });

  it('opens tmux with login shells in its panes', async () => {
    const inside = 'shopt -q login_shell && echo login $TERM >/tmp/pane; tmux wait-for -S told';
    const script = `tmux new-session -d; tmux send-keys "$0" Enter; tmux wait-for told; cat /tmp/pane; tmux kill-server`;
    assert.equal(await show(['env', 'SHELL=/bin/bash', 'sh', '-c', script, inside]), 'login tmux-256color');
  });
});

describe('the Fedora Dockerfile', () => {
  it('copies only what is there', async () => {
    const text = await readFile(join(dockerFolder, 'agent-job.Dockerfile'), 'utf8');
    const sources = [...text.matchAll(/^COPY (?!--from)(\S+) /gm)].map((match) => match[1] ?? '');
    assert.ok(sources.length > 0);
    for (const source of sources) await access(join(dockerFolder, source));
  });

  it('reads from tools.json with sed what a parser reads', async () => {
    const text = await readFile(join(dockerFolder, 'agent-job.Dockerfile'), 'utf8');
    const commands = [...text.matchAll(/\$\((sed -n [^\n]*)\) \\$/gm)].map((match) => match[1] ?? '');
    const read = await Promise.all(
      commands.map(async (command) => {
        const line = command.replaceAll('/tmp/tools.json', join(dockerFolder, 'tools.json'));
        return (await runCommand('sh', ['-c', line])).stdout.trim().split(/\s+/);
      }),
    );
    assert.deepEqual(read, [tools.flatMap(({ fedora }) => fedora ?? [])]);
  });

  it('holds no digest or checksum of its own', async () => {
    const text = await readFile(join(dockerFolder, 'agent-job.Dockerfile'), 'utf8');
    assert.doesNotMatch(text, /[0-9a-f]{40,}/);
  });
});

describe('spoon.sh', () => {
  it('does nothing in a shell that is neither bash nor zsh', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-profile-'));
    await writeFile(join(folder, 'profile'), `. ${join(dockerFolder, 'rootfs/etc/profile.d/spoon.sh')}; echo after`);
    const { stdout, stderr } = await runCommand('dash', ['-i', join(folder, 'profile')]);
    await rm(folder, { recursive: true });
    assert.equal(stdout.trim(), 'after');
    assert.doesNotMatch(stderr, /not found|[Ss]yntax|[Bb]ad/);
  });
});
