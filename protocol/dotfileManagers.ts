/**
 * The dotfile managers that a repository may have been made with, and what each is asked to do with `~/.dotfiles`. A command
 * is only ever offered; it runs once a person has chosen it. Fixed texts: nothing of a repository gets into them.
 */
export const dotfileManagers = {
  chezmoi: {
    title: 'chezmoi',
    program: 'chezmoi',
    command: 'chezmoi init --apply --no-tty --source "$HOME/.dotfiles"',
  },
  yadm: {
    title: 'yadm',
    program: 'yadm',
    command: 'yadm clone -f --no-bootstrap "$HOME/.dotfiles" && yadm checkout "$HOME" && yadm alt',
  },
  stow: {
    title: 'GNU Stow',
    program: 'stow',
    command: 'stow --restow --no-folding --dir "$HOME/.dotfiles" --target "$HOME" */',
  },
  dotbot: {
    title: 'Dotbot',
    program: 'dotbot',
    command: 'dotbot -d "$HOME/.dotfiles" -c install.conf.yaml',
  },
  'bare-git': {
    title: 'bare git repository',
    program: 'git',
    command: 'cd "$HOME" && git --git-dir="$HOME/.dotfiles/.git" --work-tree="$HOME" checkout -f HEAD -- .',
  },
  'home-manager': {
    title: 'Home Manager',
    program: 'home-manager',
    command: 'home-manager switch --flake "$HOME/.dotfiles"',
  },
} as const satisfies Record<string, { title: string; program: string; command: string }>;

export type DotfileManager = keyof typeof dotfileManagers;

export function isDotfileManager(name: unknown): name is DotfileManager {
  return typeof name === 'string' && Object.hasOwn(dotfileManagers, name);
}
