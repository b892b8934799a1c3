# shellcheck shell=bash
# What everyone gets in an interactive shell before any dotfile of their own, in bash and in zsh. Read before the user's
# files, so theirs win; a prompt or hook of theirs is never replaced. A script sees none of it. Goal: under 60 ms.

case $- in *i*) ;; *) return 0 ;; esac
[ -n "${BASH_VERSION-}${ZSH_VERSION-}" ] || return 0
# Debian's /etc/profile reads this twice: through bash.bashrc, and here.
[ -z "${__spoon_defaults-}" ] || return 0
__spoon_defaults=1

# --- Only where nothing is set
[ -n "${LANG-}${LC_ALL-}" ] || export LANG=C.UTF-8
if [ -z "${EDITOR-}" ]; then
  if command -v nvim >/dev/null; then export EDITOR=nvim; elif command -v vi >/dev/null; then export EDITOR=vi; fi
fi
# Where pip, npm (see its npmrc), pipx and cargo's relatives put programs that a person installs: the home is all they can write.
case :$PATH: in *":$HOME/.local/bin:"*) ;; *) PATH=$HOME/.local/bin:$PATH ;; esac

# --- Short names. Functions and not aliases: with an alias `ll` in place, a `ll() {…}` in the user's .bashrc would be a
# --- syntax error; a function is simply replaced, and an alias of the user's goes before it.
ls() { command ls --color=auto "$@"; }
grep() { command grep --color=auto "$@"; }
diff() { command diff --color=auto "$@"; }
if command -v eza >/dev/null; then
  __spoon_list() { eza --group-directories-first "$@"; }
elif command -v exa >/dev/null; then
  __spoon_list() { exa --group-directories-first "$@"; }
fi
if command -v __spoon_list >/dev/null; then
  ll() { __spoon_list --long --git "$@"; }
  la() { __spoon_list --long --git --all "$@"; }
  lt() { __spoon_list --tree --level=2 "$@"; }
else
  ll() { command ls --color=auto -lh "$@"; }
  la() { command ls --color=auto -lAh "$@"; }
fi
# Debian's names for them, where an image has no other.
if ! command -v bat >/dev/null && command -v batcat >/dev/null; then bat() { batcat "$@"; }; fi
if ! command -v fd >/dev/null && command -v fdfind >/dev/null; then fd() { fdfind "$@"; }; fi
if command -v nvim >/dev/null && ! command -v vim >/dev/null; then vim() { nvim "$@"; }; fi
# Headings and options stand out; only for man, and not for whatever else shows something with less.
man() {
  GROFF_NO_SGR=1 LESS_TERMCAP_md=$'\e[1;36m' LESS_TERMCAP_me=$'\e[0m' LESS_TERMCAP_us=$'\e[4;32m' LESS_TERMCAP_ue=$'\e[0m' \
    command man "$@"
}
# What is looked for is mostly what git knows; fd keeps to .gitignore. Not exported: for the keys only.
if command -v fd >/dev/null; then
  : "${FZF_CTRL_T_COMMAND:=fd --hidden --exclude .git --strip-cwd-prefix}" "${FZF_ALT_C_COMMAND:=fd --type d --hidden --exclude .git --strip-cwd-prefix}"
fi

# --- The branch of the folder, without starting git: its HEAD is one line of text. Sets __spoon_branch, empty where there
# --- is none, and __spoon_doing, what git is in the middle of.
__spoon_find_branch() {
  local folder=$PWD head
  __spoon_branch='' __spoon_doing=''
  while [ ! -e "$folder/.git" ]; do
    [ -n "$folder" ] || return 0
    folder=${folder%/*}
  done
  folder=$folder/.git
  if [ -f "$folder" ]; then # a worktree or submodule: "gitdir: PATH"
    IFS=' ' read -r _ head <"$folder" 2>/dev/null || return 0
    case $head in /*) folder=$head ;; *) folder=${folder%/*}/$head ;; esac
  fi
  IFS= read -r head 2>/dev/null <"$folder/HEAD" || return 0
  if [ -d "$folder/rebase-merge" ] || [ -d "$folder/rebase-apply" ]; then __spoon_doing=rebase
  elif [ -e "$folder/MERGE_HEAD" ]; then __spoon_doing=merge
  elif [ -e "$folder/CHERRY_PICK_HEAD" ]; then __spoon_doing=cherry-pick
  elif [ -e "$folder/BISECT_LOG" ]; then __spoon_doing=bisect; fi
  case $head in
    'ref: refs/heads/'*) head=${head#ref: refs/heads/} ;;
    *) head=${head%"${head#????????}"} ;;
  esac
  __spoon_branch=${head//[^[:print:]]/} # whoever wrote that file shall not paint the terminal
}

# What the prompt says of the folder, in __spoon_place and __spoon_git. A thread is ~/Code/SPOON/BRANCH: it is shown as
# SPOON/BRANCH, and its branch not a second time.
__spoon_describe_folder() {
  local rest
  __spoon_find_branch
  __spoon_git=${__spoon_branch:+"($__spoon_branch${__spoon_doing:+|$__spoon_doing})"}
  # shellcheck disable=SC2088 # the tilde is to be shown
  case $PWD in
    "$HOME") __spoon_place='~' ;;
    "$HOME/Code/"*/*)
      __spoon_place=${PWD#"$HOME/Code/"}
      rest=${__spoon_place#*/}
      if [ -n "$__spoon_branch" ] && [ "${rest#"$__spoon_branch"}" != "$rest" ]; then
        case ${rest#"$__spoon_branch"} in '' | /*) __spoon_git=${__spoon_doing:+"($__spoon_doing)"} ;; esac
      fi
      ;;
    "$HOME/"*) __spoon_place="~/${PWD#"$HOME/"}" ;;
    *) __spoon_place=$PWD ;;
  esac
  __spoon_place=${__spoon_place//[^[:print:]]/}
}

# How long a command ran, given in milliseconds: nothing below two seconds, then as people say it. Sets __spoon_took.
__spoon_say_time() {
  local seconds=$(($1 / 1000))
  __spoon_took=''
  if [ "$1" -lt 2000 ]; then return 0; fi
  if [ "$seconds" -lt 60 ]; then __spoon_took=${seconds}s
  elif [ "$seconds" -lt 3600 ]; then __spoon_took=$((seconds / 60))m$((seconds % 60))s
  else __spoon_took=$((seconds / 3600))h$((seconds / 60 % 60))m; fi
}

# The theme may be exchanged for one's own without touching any file of the shell.
__spoon_theme() { printf '%s' "${SPOON_PROMPT_THEME:-/etc/spoon/omp.json}"; }

# Marks that tell VS Code's terminal where a prompt, a command and its output begin (OSC 633), so that it can jump between
# commands, show which failed, and resolve paths in their output. Asked at the first prompt, so that a file of the user's can
# unset it. Nothing else gets them: no terminal in the terminal, and no shell where VS Code's own script is at work.
__spoon_wants_marks() {
  [ -n "${SPOON_SHELL_INTEGRATION-}" ] || [ "${TERM_PROGRAM-}" = vscode ] || return 1
  [ -z "${TMUX-}${STY-}${NVIM-}${VSCODE_SHELL_INTEGRATION-}${VSCODE_INJECTION-}" ] && [ "${TERM-}" != dumb ]
}
__spoon_tell_folder() {
  local folder=${PWD//\\/\\\\}
  folder=${folder//;/\\x3b}
  printf '\e]633;P;Cwd=%s\a' "${folder//[[:cntrl:]]/}"
}

if [ -n "${BASH_VERSION-}" ]; then
  # shellcheck source=../spoon/shell/bash.sh
  . /etc/spoon/shell/bash.sh
else
  # shellcheck source=../spoon/shell/zsh.sh
  . /etc/spoon/shell/zsh.sh
fi
