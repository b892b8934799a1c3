# shellcheck shell=bash
# What everyone gets in an interactive shell before any dotfile of their own, in bash and in zsh. Read before the user's
# files, so theirs win; a prompt of theirs is never replaced. A script sees none of it. Goal: under 60 ms.

case $- in *i*) ;; *) return 0 ;; esac
[ -n "${BASH_VERSION-}${ZSH_VERSION-}" ] || return 0
[ -z "${__spoon_defaults-}" ] || return 0
__spoon_defaults=1

# --- Editor, language: only where nothing is set
[ -n "${LANG-}${LC_ALL-}" ] || export LANG=C.UTF-8
if [ -z "${EDITOR-}" ]; then
  if command -v nvim >/dev/null; then export EDITOR=nvim; elif command -v vi >/dev/null; then export EDITOR=vi; fi
fi

# --- Short names. Functions and not aliases: with an alias `ll` in place, a `ll() {…}` in the user's .bashrc would be a
# --- syntax error; a function is simply replaced, and an alias of the user's goes before it.
ls() { command ls --color=auto "$@"; }
grep() { command grep --color=auto "$@"; }
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
if command -v nvim >/dev/null && ! command -v vim >/dev/null; then
  vim() { nvim "$@"; }
fi

# --- The branch of the folder, without starting git: its HEAD is one line of text. Sets __spoon_branch.
__spoon_find_branch() {
  local folder=$PWD head
  __spoon_branch=
  while [ ! -e "$folder/.git" ]; do
    [ -n "$folder" ] || return 0
    folder=${folder%/*}
  done
  head=$folder/.git
  if [ -f "$head" ]; then # a worktree or submodule: "gitdir: PATH"
    IFS=' ' read -r _ head <"$head" 2>/dev/null || return 0
    case $head in /*) ;; *) head=$folder/$head ;; esac
  fi
  IFS= read -r head 2>/dev/null <"$head/HEAD" || return 0
  case $head in
    'ref: refs/heads/'*) head=${head#ref: refs/heads/} ;;
    *) head=${head%"${head#????????}"} ;;
  esac
  __spoon_branch=${head//[^[:print:]]/} # whoever wrote that file shall not paint the terminal
}

# The theme may be exchanged for one's own without touching any file of the shell.
__spoon_theme() { printf '%s' "${SPOON_PROMPT_THEME:-/etc/spoon/omp.json}"; }

if [ -n "${BASH_VERSION-}" ]; then
  shopt -s histappend checkwinsize
  HISTCONTROL=ignoreboth HISTSIZE=50000 HISTFILESIZE=100000

  # PATH (BRANCH) EXIT-CODE $: all in PS1, so that a PS1 of the user's leaves nothing of it behind.
  __spoon_prompt() {
    __spoon_find_branch
    [ -z "$__spoon_branch" ] || printf ' \001\033[35m\002(%s)\001\033[0m\002' "$__spoon_branch"
    [ "$1" = 0 ] || printf ' \001\033[31m\002%s\001\033[0m\002' "$1"
  }
  # shellcheck disable=SC2016 # expanded at each prompt
  __spoon_ps1='\[\033[36m\]\w\[\033[0m\]$(__spoon_prompt $?) \$ '
  PS1=$__spoon_ps1

  if [ -t 0 ]; then # line editing is on
    for __spoon_file in /usr/share/fzf/shell/key-bindings.bash /usr/share/doc/fzf/examples/key-bindings.bash; do
      # shellcheck source=/dev/null
      if [ -r "$__spoon_file" ] && command -v fzf >/dev/null; then . "$__spoon_file"; break; fi
    done
    unset __spoon_file
  fi
  if command -v zoxide >/dev/null; then eval "$(zoxide init bash)"; fi

  if command -v oh-my-posh >/dev/null; then
    # Decided at the first prompt, when the user's files have been read: a prompt or a hook of theirs is left alone.
    __spoon_first_prompt() {
      __spoon_first_prompt() { :; }
      local hooks="${PROMPT_COMMAND[*]}"
      hooks=${hooks//__spoon_first_prompt/}
      hooks=${hooks//__zoxide_hook/}
      if [ "$PS1" = "$__spoon_ps1" ] && [ -z "${hooks//[; ]/}" ]; then
        eval "$(oh-my-posh init bash --config "$(__spoon_theme)")"
        if declare -F _omp_hook >/dev/null; then _omp_hook; fi
      fi
    }
    PROMPT_COMMAND="${PROMPT_COMMAND:+${PROMPT_COMMAND%;};}__spoon_first_prompt"
  fi
else
  HISTFILE=${HISTFILE:-$HOME/.zsh_history} HISTSIZE=50000 SAVEHIST=50000
  setopt append_history hist_ignore_dups hist_ignore_space interactive_comments
  bindkey -e
  # Index 9 of psvar, so that PROMPT needs no substitution option of the user's shell to be changed.
  __spoon_ps1='%F{cyan}%~%f%(9V. %F{magenta}(%9v%)%f.)%(?.. %F{red}%?%f) %# '
  PROMPT=$__spoon_ps1
  for __spoon_file in /usr/share/fzf/shell/key-bindings.zsh /usr/share/doc/fzf/examples/key-bindings.zsh; do
    # shellcheck source=/dev/null
    if [ -r "$__spoon_file" ] && command -v fzf >/dev/null; then . "$__spoon_file"; break; fi
  done
  unset __spoon_file
  if command -v zoxide >/dev/null; then eval "$(zoxide init zsh)"; fi

  __spoon_set_branch() { __spoon_find_branch; psvar[9]=$__spoon_branch; }
  # At the first prompt, when the user's files have been read: completion where they have none, our prompt where theirs is not.
  __spoon_first_prompt() {
    # shellcheck disable=SC2206,SC2154 # zsh arrays
    precmd_functions=(${precmd_functions:#__spoon_first_prompt})
    if ! command -v compdef >/dev/null; then
      autoload -Uz compinit && compinit -d "${XDG_CACHE_HOME:-$HOME}/.zcompdump"
    fi
    [ "$PROMPT" = "$__spoon_ps1" ] || return 0
    # shellcheck disable=SC2206
    local others=(${precmd_functions:#__zoxide_hook})
    if command -v oh-my-posh >/dev/null && [ "${#others}" = 0 ]; then
      eval "$(oh-my-posh init zsh --config "$(__spoon_theme)")"
      if command -v _omp_precmd >/dev/null; then _omp_precmd; fi
    else
      precmd_functions+=(__spoon_set_branch)
      __spoon_set_branch
    fi
  }
  precmd_functions+=(__spoon_first_prompt)
fi
