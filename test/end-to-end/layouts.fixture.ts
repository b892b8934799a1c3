import type { TestTree } from '../../boxd/testing/publishTree.ts';
import type { DotfileManager } from '../../protocol/dotfileManagers.ts';

/** A layout that people publish, rebuilt with the same structure, and what the home is at each step: one line for each file. */
export interface Layout {
  readonly name: string;
  readonly manager?: DotfileManager;
  /** Typed in the home before anything. */
  readonly prepare: string;
  readonly first: TestTree;
  readonly second: TestTree;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly updated: readonly string[];
  /** After the way back: a script's own work is done again by the earlier one, and not undone where it did more. */
  readonly gone: { readonly toFirst: readonly string[]; readonly toNone: readonly string[] };
}

const install = {
  text: '#!/usr/bin/env bash\nset -e\ncd "$(dirname "$0")"\nfor f in bashrc vimrc; do ln -sfn "$PWD/$f" ~/.$f; done\n',
  mode: 0o755,
};
const bootstrap = {
  text: `#!/bin/sh
set -e
cd "$(dirname "$0")/.."
. lib/say.sh
for f in */*.symlink; do
  to="$HOME/.$(basename "$f" .symlink)"
  [ -e "$to" ] && [ ! -L "$to" ] && mv "$to" "$to.backup"
  ln -sfn "$PWD/$f" "$to"
  say "$f"
done
`,
  mode: 0o755,
};
/** What chezmoi does with the few attributes of this source directory; the program itself is in no Debian package. */
const chezmoi = `mkdir -p .local/bin; cat > .local/bin/chezmoi <<'EOF'
#!/bin/sh
set -e
[ "$1 $2 $3 $4" = "init --apply --no-tty --source" ] || exit 2
cd "$5"
git ls-files | while read -r f; do
  case $f in .*|README*) continue;; esac
  to=$(printf %s "$f" | sed 's,\\(^\\|/\\)private_,\\1,g; s,\\(^\\|/\\)executable_,\\1,g; s,\\(^\\|/\\)dot_,\\1.,g')
  mkdir -p "$HOME/$(dirname "$to")"
  case $f in *private_*) mode=600;; *executable_*) mode=755;; *) mode=644;; esac
  install -m $mode "$f" "$HOME/$to"
done
EOF
chmod 755 .local/bin/chezmoi; mkdir -p bin; echo mine > .profile; chmod 644 .profile`;

const at = '/home/';

export const layouts: readonly Layout[] = [
  {
    name: 'flat',
    prepare: 'echo mine > .vimrc; chmod 644 .vimrc',
    before: ['./.vimrc 644 = mine'],
    first: { install, bashrc: 'one', vimrc: 'one', 'README.md': '# dotfiles' },
    after: [`./.bashrc -> ${at}flat/.dotfiles/bashrc = one`, `./.vimrc -> ${at}flat/.dotfiles/vimrc = one`],
    second: { install, bashrc: 'two', vimrc: 'one', 'README.md': '# dotfiles' },
    updated: [`./.bashrc -> ${at}flat/.dotfiles/bashrc = two`, `./.vimrc -> ${at}flat/.dotfiles/vimrc = one`],
    gone: {
      toFirst: [`./.bashrc -> ${at}flat/.dotfiles/bashrc = one`, `./.vimrc -> ${at}flat/.dotfiles/vimrc = one`],
      toNone: [`./.bashrc -> ${at}flat/.dotfiles/bashrc = two`, `./.vimrc -> ${at}flat/.dotfiles/vimrc = one`],
    },
  },
  {
    name: 'bootstrap',
    prepare: 'echo mine > .gitconfig; chmod 644 .gitconfig',
    before: ['./.gitconfig 644 = mine'],
    first: {
      'script/bootstrap': bootstrap,
      'lib/say.sh': 'say() { printf "  [ OK ] %s\\n" "$1"; }\n',
      'git/gitconfig.symlink': 'one',
    },
    after: [`./.gitconfig -> ${at}bootstrap/.dotfiles/git/gitconfig.symlink = one`, './.gitconfig.backup 644 = mine'],
    second: {
      'script/bootstrap': bootstrap,
      'lib/say.sh': 'say() { printf "  [ OK ] %s\\n" "$1"; }\n',
      'git/gitconfig.symlink': 'two',
      'zsh/zshrc.symlink': 'two',
    },
    updated: [
      `./.gitconfig -> ${at}bootstrap/.dotfiles/git/gitconfig.symlink = two`,
      './.gitconfig.backup 644 = mine',
      `./.zshrc -> ${at}bootstrap/.dotfiles/zsh/zshrc.symlink = two`,
    ],
    gone: {
      toFirst: [
        `./.gitconfig -> ${at}bootstrap/.dotfiles/git/gitconfig.symlink = one`,
        './.gitconfig.backup 644 = mine',
        `./.zshrc -> ${at}bootstrap/.dotfiles/zsh/zshrc.symlink = cat: ./.zshrc: No such file or directory`,
      ],
      toNone: [
        `./.gitconfig -> ${at}bootstrap/.dotfiles/git/gitconfig.symlink = two`,
        './.gitconfig.backup 644 = mine',
        `./.zshrc -> ${at}bootstrap/.dotfiles/zsh/zshrc.symlink = two`,
      ],
    },
  },
  {
    name: 'stowed',
    manager: 'stow',
    prepare: 'true',
    before: [],
    first: { 'bash/.bashrc': 'one', 'nvim/.config/nvim/init.lua': 'one', 'README.md': '' },
    after: [
      './.bashrc -> .dotfiles/bash/.bashrc = one',
      './.config/nvim/init.lua -> ../../.dotfiles/nvim/.config/nvim/init.lua = one',
    ],
    second: { 'bash/.bashrc': 'two', 'nvim/.config/nvim/init.lua': 'one', 'vim/.vimrc': 'two', 'README.md': '' },
    updated: [
      './.bashrc -> .dotfiles/bash/.bashrc = two',
      './.config/nvim/init.lua -> ../../.dotfiles/nvim/.config/nvim/init.lua = one',
      './.vimrc -> .dotfiles/vim/.vimrc = two',
    ],
    gone: {
      toFirst: [
        './.bashrc -> .dotfiles/bash/.bashrc = one',
        './.config/nvim/init.lua -> ../../.dotfiles/nvim/.config/nvim/init.lua = one',
      ],
      toNone: [
        './.bashrc -> .dotfiles/bash/.bashrc = two',
        './.config/nvim/init.lua -> ../../.dotfiles/nvim/.config/nvim/init.lua = one',
        './.vimrc -> .dotfiles/vim/.vimrc = two',
      ],
    },
  },
  {
    name: 'chezmoi',
    manager: 'chezmoi',
    prepare: chezmoi,
    before: ['./.profile 644 = mine'],
    first: {
      dot_profile: 'one',
      private_dot_netrc: 'one',
      'bin/executable_hello': 'one',
      '.chezmoiignore': 'README.md',
    },
    after: ['./.netrc 600 = one', './.profile 644 = one', './bin/hello 755 = one'],
    second: { dot_profile: 'two', private_dot_netrc: 'one', 'bin/executable_hello': 'two', '.chezmoiignore': '' },
    updated: ['./.netrc 600 = one', './.profile 644 = two', './bin/hello 755 = two'],
    gone: {
      toFirst: ['./.netrc 600 = one', './.profile 644 = one', './bin/hello 755 = one'],
      toNone: ['./.netrc 600 = one', './.profile 644 = two', './bin/hello 755 = two'],
    },
  },
  {
    name: 'plain',
    prepare: 'echo mine > .inputrc; echo mine > .tmux.conf; chmod 644 .inputrc .tmux.conf',
    before: ['./.inputrc 644 = mine', './.tmux.conf 644 = mine'],
    first: { '.inputrc': 'one', '.config/app/a': 'one', 'README.md': '' },
    after: [
      './.config -> .dotfiles/.config = cat: ./.config: Is a directory',
      './.inputrc -> .dotfiles/.inputrc = one',
      './.tmux.conf 644 = mine',
    ],
    second: { '.tmux.conf': 'two', '.config/app/a': 'two', '.config/app/b': 'two', 'README.md': '' },
    updated: [
      './.config -> .dotfiles/.config = cat: ./.config: Is a directory',
      './.inputrc 644 = mine',
      './.tmux.conf -> .dotfiles/.tmux.conf = two',
    ],
    gone: {
      toFirst: [
        './.config -> .dotfiles/.config = cat: ./.config: Is a directory',
        './.inputrc -> .dotfiles/.inputrc = one',
        './.tmux.conf 644 = mine',
      ],
      toNone: ['./.inputrc 644 = mine', './.tmux.conf 644 = mine'],
    },
  },
];
