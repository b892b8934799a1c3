import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type Docker from 'dockerode';
import { readTools } from '../../scripts/provision/tools.ts';
import { ownContainers } from '../fixtures/ownContainers.fixture.ts';
import { RunningService } from '../runningService.ts';

const tools = await readTools(join(dirname(dirname(import.meta.dirname)), 'docker'));

/** Terminal bytes without colours and the like. */
const plain = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it is about
  text.replaceAll(/\x1b\][^\x07]*\x07|\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\x01\x02\r]/g, '');

/** Where a program does not know `--version`. */
const versionFlags: Readonly<Record<string, string>> = { ssh: '-V', tmux: '-V', unzip: '-v', which: 'sh' };

describe('the box image, in a box with an empty home', { timeout: 240_000 }, () => {
  let service: RunningService;
  let container: Docker.Container;
  let user: string;

  before(async () => {
    service = await RunningService.start({ engine: 'docker' });
    const ada = await service.addUser('Ada Lovelace');
    // Nothing of a person's: a folder for threads, and what makes a login shell read .bashrc.
    assert.equal(await service.inBox(ada, 'sh', '-c', 'ls -A | grep -v spoon'), '.bash_profile\nCode');
    const [mine] = await ownContainers(service);
    assert.ok(mine);
    container = mine;
    user = (await container.inspect()).Config.User;
  });
  after(() => service?.[Symbol.asyncDispose]());
  afterEach(() =>
    show([
      'sh',
      '-c',
      'cd; rm -rf Code/*; for f in $(ls -A); do case $f in .bash_profile | Code | .spoon*) ;; *) rm -rf $f ;; esac; done',
    ]),
  );

  /** Runs it on a terminal of its own, and says what that showed. */
  async function show(command: string[], who = user, environment: string[] = []): Promise<string> {
    const exec = await container.exec({
      ...{ Cmd: command, User: who, Env: ['TERM=xterm-256color', 'COLORTERM=truecolor', ...environment] },
      ...{ Tty: true, AttachStdout: true, AttachStderr: true },
    });
    const stream = await exec.start({ Tty: true });
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return text.trim();
  }
  const write = (path: string, content: string): Promise<string> =>
    show(['sh', '-c', 'mkdir -p "$(dirname ~/"$0")" && printf %s "$1" > ~/"$0"', path, content]);
  const login = async (shell: string, lines: string, environment: string[] = []): Promise<string> =>
    plain(await show([shell, '-lic', lines], user, environment)).trim();
  /** What tmux's screen shows of a login shell in it, once it has `wanted` on it. The box's user has no other tmux. */
  async function screen(keys: string[], wanted: string, shell = '/bin/bash'): Promise<string> {
    const script = `cd ~; tmux new-session -d -x 80 -y 24 || exit 1
      for line in "$@"; do tmux send-keys -- "$line" Enter; done
      tries=0; until tmux capture-pane -p | grep -qF -- "$0" || [ $tries = 200 ]; do tries=$((tries + 1)); sleep 0.05; done
      tmux capture-pane -p; tmux kill-server`;
    return plain(await show(['env', `SHELL=${shell}`, 'sh', '-c', script, wanted, ...keys]));
  }

  it('runs every tool that it lists', async () => {
    const there = tools.flatMap(({ command, debian, npm }) => (debian !== null || npm !== undefined ? command : []));
    const commands = there.filter((command) => command !== null);
    assert.ok(commands.length > 35);
    const lines = commands.map(
      (command) => `${command} ${versionFlags[command] ?? '--version'} >/dev/null 2>&1 || echo "${command} failed: $?"`,
    );
    assert.equal(await show(['sh', '-c', lines.join('\n')]), '');
  });

  it('gives no rights away', async () => {
    assert.equal(await show(['sh', '-c', 'cd /; find / -xdev -type f -perm /6000'], '0:0'), '');
  });

  it('has a root that nothing writes to, and runs as any uid with any home', async () => {
    assert.match(await show(['touch', '/usr/new'], '0:0'), /Read-only file system/);
    const home = 'HOME=/tmp/anybody';
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash expands it
    const lines = 'mkdir -p ~ && cd && touch mine && ll && echo "$EDITOR $(id -u) ${PS1@P}"';
    assert.match(plain(await show(['bash', '-lic', lines], '54321:54321', [home])), /mine\s+nvim 54321 ~ \$$/);
  });

  it('speaks UTF-8, and the English that people are used to', async () => {
    assert.equal(await show(['bash', '-c', 'printf Zoë | wc -m']), '3');
    assert.equal(await show(['sh', '-c', 'LC_ALL=en_US.UTF-8 locale charmap 2>&1']), 'UTF-8');
  });

  it('has manuals, of tools and of C', async () => {
    assert.equal(
      await show(['sh', '-c', 'for page in tmux git-rebase "3 printf"; do man -w $page; done | wc -l']),
      '3',
    );
  });

  it('installs programs of npm and Python where the PATH of a terminal has them', async () => {
    assert.match(
      await login('bash', 'npm config get prefix 2>/dev/null; echo $PATH'),
      /^\/home\/ada\/\.local\n\/home\/ada\/\.local\/bin:/,
    );
    assert.match(
      await login('bash', 'python3 -m venv --without-pip v && v/bin/python -c "import json, ssl; print(1)"'),
      /^1$/,
    );
  });

  it('keeps what zoxide would say at each start of a shell, and asks the one of the user where there is one', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const same = `zoxide init ${shell} | cmp - /etc/spoon/shell/zoxide.${shell} && echo same`;
      assert.equal(await show(['sh', '-c', same]), 'same');
    }
    await write('.local/bin/zoxide', '#!/bin/sh\necho "z() { echo own; }"\n');
    await show(['sh', '-c', 'chmod +x ~/.local/bin/zoxide']);
    for (const shell of ['bash', 'zsh']) assert.equal(await login(shell, 'z'), 'own');
  });

  it('starts no program for a login shell that does not ask for one', async () => {
    const traced = await show([
      'sh',
      '-c',
      'bash -lxc true 2>&1 | grep -c "id -u"; dash -lxc true 2>&1 | grep -c "id -u"',
    ]);
    assert.match(traced, /^0\r?\n[1-9]$/, 'dash has no other way');
    assert.match(await show(['bash', '-lc', 'echo $PATH']), /^[^:]*\/usr\/local\/bin:(?!.*sbin)/);
  });

  for (const shell of ['bash', 'zsh']) {
    it(`has its short names and keys in an interactive ${shell}, and the editor`, async () => {
      const output = await login(
        shell,
        'mkdir d; touch d/a-file; ll; la; lt; ls d; z d; pwd; z -; echo "editor $EDITOR"',
      );
      assert.match(output, /a-file[\s\S]*a-file/);
      assert.match(output, /\/home\/ada\/d\n[\s\S]*editor nvim$/);
      assert.doesNotMatch(output, /not found|error/i);
      const keys = shell === 'bash' ? 'bind -X' : 'bindkey';
      assert.match(await login(shell, keys), /fzf/);
      for (const name of ['bat', 'fd', 'eza', 'vim'])
        assert.equal(await login(shell, `command -v ${name} >/dev/null; echo $?`), '0');
    });

    it(`shows none of it to a ${shell} script, and starts that silently`, async () => {
      const lines = 'set | grep "^__sp[o]on"; type ll >/dev/null 2>&1 || echo "no $EDITOR $PATH"';
      const without = await show(['env', '-u', 'EDITOR', shell, '-c', 'echo "no $EDITOR $PATH"']);
      assert.equal(await show([shell, '-c', lines]), without);
      assert.doesNotMatch(await show([shell, '-lc', 'set; alias']), /__spoon/);
    });

    it(`lets the user's own ${shell} file win`, async () => {
      const hook = shell === 'bash' ? `PROMPT_COMMAND='echo own hook'` : `precmd() { echo own hook; }`;
      await write(
        `.${shell}rc`,
        `ll() { echo own function; }\nalias la='echo own alias'\nEDITOR=ed\nPS1='own> '\n${hook}\n`,
      );
      const output = await login(shell, 'll\nla\necho "editor $EDITOR, prompt $PS1"');
      for (const part of ['own function', 'own alias', 'editor ed, prompt own>'])
        assert.ok(output.includes(part), output);
      // At the prompt, which is when some of it is decided.
      const shown = await screen(['(exit 3)', 'echo do""ne', 'echo e""nd'], 'end', `/bin/${shell}`);
      assert.match(shown, /own hook\nown> echo do""ne\ndone\nown hook\nown> echo e""nd\nend\n/);
    });
  }

  it('has its short names and the editor in fish, where the user can change them', async () => {
    const lines = 'touch a-file; ll; echo editor $EDITOR; z /tmp; pwd';
    assert.match(plain(await show(['fish', '-lic', lines])), /a-file\s+editor nvim\s+\/tmp$/);
    await write('.config/fish/config.fish', 'function ll; echo own; end; set -gx EDITOR ed\n');
    assert.equal(plain(await show(['fish', '-lic', 'll; echo $EDITOR'])), 'own\ned');
  });

  for (const [shell, sign] of [
    ['bash', '$'],
    ['zsh', '%'],
  ]) {
    it(`shows place, branch, duration and exit code in ${shell}'s prompt`, async () => {
      await show([
        'sh',
        '-c',
        'git init -q -b feat/x ~/Code/api/feat/x && mkdir ~/Code/api/feat/x/src && git init -q -b main ~/notes',
      ]);
      const keys = ['cd notes', 'cd ../Code/api/feat/x/src', 'false', 'sleep 2.1', 'git switch -qc fix', 'cd /etc'];
      const shown = await screen(keys, `/etc ${sign}`, `/bin/${shell}`);
      const prompts = shown
        .split('\n')
        .flatMap((line) => new RegExp(`^(.* )\\${sign} `).exec(`${line} `)?.[1]?.trim() ?? []);
      assert.deepEqual(prompts, [
        '~',
        '~/notes (main)',
        'api/feat/x/src', // a thread is named by its branch already
        'api/feat/x/src 1',
        'api/feat/x/src 2s',
        'api/feat/x/src (fix)',
        '/etc',
      ]);
    });
  }

  for (const shell of ['bash', 'zsh']) {
    it(`leaves ${shell}'s prompt to oh-my-posh where that is, and starts it for nobody who has a prompt or hook`, async () => {
      // Speaks to the shell as the real one does, which no repository here has: init is evaluated, and sets the prompt.
      const lines = '#!/bin/sh\necho "$@" >> ~/started\necho "PS1=\\"posh> \\""\n';
      await write('.local/bin/oh-my-posh', lines);
      await show(['chmod', '+x', '/home/ada/.local/bin/oh-my-posh']);
      assert.match(await screen(['echo do""ne'], 'done', `/bin/${shell}`), /posh> echo do""ne/);
      assert.equal(await show(['cat', '/home/ada/started']), `init ${shell} --config /etc/spoon/omp.json`);
      const hook = shell === 'bash' ? 'PROMPT_COMMAND=true' : 'precmd_functions+=(true)';
      for (const own of [`PS1='own> '`, hook]) {
        await show(['rm', '/home/ada/started']);
        await write(`.${shell}rc`, `${own}\n`);
        assert.doesNotMatch(await screen(['echo do""ne'], 'done', `/bin/${shell}`), /posh>/);
        await show(['touch', '/home/ada/started']);
        assert.equal(await show(['cat', '/home/ada/started']), '');
      }
    });
  }

  it('says what git is in the middle of, and shows a commit where there is no branch', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash expands it
    const prompt = 'cd ~/r; echo "${PS1@P}"';
    const made = 'git init -q -b main r && cd r && git -c user.name=A -c user.email=a@b commit -q --allow-empty -m 1';
    await show(['bash', '-c', `cd; ${made} && git tag one && touch .git/MERGE_HEAD`]);
    assert.equal(await login('bash', prompt), '~/r (main|merge) $');
    await show(['bash', '-c', 'cd ~/r && rm .git/MERGE_HEAD && git checkout -q --detach']);
    assert.match(await login('bash', prompt), /^~\/r \([0-9a-f]{8}\) \$$/);
    await show(['bash', '-c', 'cd ~/r && git worktree add -q -b tree ../w']);
    assert.equal(await login('bash', prompt.replace('~/r', '~/w')), '~/w (tree) $');
  });

  it('does not let a repository or folder paint the terminal', async () => {
    await show([
      'bash',
      '-c',
      `mkdir -p ~/evil/.git && printf 'ref: refs/heads/a\\033[31mb\\n' > ~/evil/.git/HEAD; mkdir ~/$'x\\e]0;y'`,
    ]);
    assert.equal(await login('bash', 'cd ~/evil; __spoon_find_branch; printf %q "$__spoon_branch"'), 'a\\[31mb');
    assert.equal(await login('bash', 'cd ~/x*; __spoon_describe_folder; printf %q "$__spoon_place"'), '\\~/x\\]0\\;y');
  });

  it('marks prompts and commands for VS Code only where that asks for it', async () => {
    const keys = `printf 'false\\nexit\\n' | script -qc 'bash -l' /dev/null`;
    const marked = await show(['sh', '-c', keys], user, ['SPOON_SHELL_INTEGRATION=1']);
    for (const mark of ['633;A\x07', '633;B\x07', '633;C\x07', '633;D;1\x07', '633;P;Cwd=/']) {
      assert.ok(marked.includes(`\x1b]${mark}`), `${mark} in ${JSON.stringify(marked)}`);
    }
    assert.ok(!(await show(['sh', '-c', keys])).includes('\x1b]633'));
    await write('.bashrc', 'unset SPOON_SHELL_INTEGRATION\n');
    assert.ok(!(await show(['sh', '-c', keys], user, ['SPOON_SHELL_INTEGRATION=1'])).includes('\x1b]633'));
  });

  it('completes at the first Tab', async () => {
    const lines = 'type -t _init_completion; __spoon_complete_first; echo $?; type -t _init_completion _fzf_complete';
    assert.equal(await login('bash', lines), '124\nfunction\nfunction');
  });

  it('opens tmux with login shells in its panes, true colour and the mouse', async () => {
    const inside = 'shopt -q login_shell && echo login $TERM; tmux show -gv mouse; tmux show -gv history-limit';
    assert.match(await screen([inside], '50000'), /\nlogin tmux-256color\non\n50000(\n|$)/);
  });

  it("lets the user's own .tmux.conf win", async () => {
    await write('.tmux.conf', 'set -g prefix C-a\nset -g mouse off\n');
    const shown = await screen(
      ['tmux show -gv prefix; tmux show -gv mouse; tmux show -sv escape-time; echo "<"end">"'],
      '<end>',
    );
    assert.match(shown, /\nC-a\noff\n10\n<end>/);
  });

  it("opens nvim, with the user's own settings where there are any", async () => {
    assert.match(await screen(['nvim'], 'NVIM v'), /NVIM v/);
    await write('.config/nvim/init.lua', 'vim.g.spoon = "own"\n');
    assert.equal(await show(['nvim', '--headless', '-c', 'echo g:spoon', '-c', 'q']), 'own');
  });
});
